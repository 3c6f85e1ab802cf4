"""Whatever the blocks, a stream is what the model gives for the whole recording."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kerasep
from kerasep.errors import InputError
from kerasep.models import SeparationModel
from kerasep.streaming import Streamer
from tests.streaming.small_streams import SMALL, built, eager, noise, separated

# Building a streamer takes longer than streaming.
KINDS = [
    *("open_unmix", "conv_tasnet"),
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("tasnet", "dprnn")),
]


def streamed(streamer, x, sizes):
    """Feed blocks of these sizes, in turns, and check what is ready after each."""
    results, start, turn = [], 0, 0
    while start < len(x):
        block = x[start : start + sizes[turn % len(sizes)]]
        start, turn = start + len(block), turn + 1
        results.append(streamer.process(block))
        assert start >= sum(map(len, results)) >= start - streamer.timing.latency
    return np.concatenate([*results, streamer.flush()])


def decibels(expected, received):
    error = np.square(expected.astype("float64") - received).sum()
    return 10 * np.log10(np.square(expected.astype("float64")).sum() / max(error, 1e-300))


def check(kind, samples, sizes, **changes):
    model, separator, streamer = built(kind, tuple(changes.items()))
    x = noise(samples, model.channels)
    expected = keras.ops.convert_to_numpy(separator(x[None]))[0]
    received = streamed(streamer, x, sizes)
    assert received.shape == expected.shape
    assert decibels(expected, received) >= 110


blocks = st.lists(st.integers(1, 700), min_size=1, max_size=4)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(samples=st.integers(65, 900), sizes=blocks)
def test_a_stream_is_the_whole(kind, samples, sizes):
    check(kind, samples, sizes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("mask_inference", {}),
        ("mask_inference", {"full_scale": True, "channels": 2, "activation": "softmax"}),
        ("open_unmix", {"hop": 50, "window": "hamming"}),  # no divisor of the frame
        ("open_unmix", {"hop": 80, "window": "hamming", "bridged": True}),
        ("open_unmix", {"hop": 32, "window": "rectangular", "channels": 1}),
        ("tasnet", {"channels": 2}),
        ("conv_tasnet", {"skip": 0, "channels": 2, "lean": True, "kernel_size": 20, "hop": 9}),
        ("conv_tasnet", {"norm": "layer"}),
        ("dprnn", {"chunk": 7, "chunk_hop": 3, "norm": "batch", "kernel_size": 20, "hop": 5}),
        ("dprnn", {"kernel_size": 8, "hop": 8, "channels": 2}),
        ("dprnn", {"kernel_size": 16, "hop": 2, "chunk": 4}),  # frames longer than a chunk's hop
    ],
)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(samples=st.integers(81, 1500), sizes=blocks)
def test_a_stream_is_the_whole_for_other_settings(kind, changes, samples, sizes):
    check(kind, samples, sizes, **changes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("samples", [1, 17, 41])
def test_streams_of_a_frame_or_less(kind, samples):
    if kind in ("open_unmix", "mask_inference", "gtcrn", "ul_unas"):
        streamer = built(kind)[2]
        streamer.process(noise(samples, streamer.channels))
        with pytest.raises(InputError, match=rf"stream of {samples} samples, expected at least 65"):
            streamer.flush()
        assert streamer.flush().shape == (0, streamer.channels, 2)
    else:
        check(kind, samples, [7])


@pytest.mark.slow
@pytest.mark.parametrize("kind", SMALL)
def test_an_hour_of_frames_later_it_is_still_the_whole(kind):
    """Counters stop where no layer can tell the difference."""
    model, _, streamer = built(kind)
    x = noise(4000, model.channels)
    streamer.process(x)
    far = np.array(streamer._state)
    far[0, 0] = 2.0**20
    ahead = streamer.process(x)
    streamer.reset()
    streamer.process(x)
    near = streamer.process(x)
    streamer.reset()
    assert np.array_equal(ahead, near)


def test_reset_starts_anew(small):
    _, _, streamer = small("conv_tasnet")
    x = noise(333, 1)
    first = streamed(streamer, x, [100])
    streamer.process(noise(777, 1, seed=1))
    streamer.reset()
    np.testing.assert_array_equal(streamed(streamer, x, [100]), first)
    np.testing.assert_array_equal(streamed(streamer, x, [100]), first)


def test_a_residual_is_late_with_the_others(small):
    model, separator, _ = small("conv_tasnet")
    x = noise(480, 1)
    received = streamed(eager(kerasep.Separator(model, residual="rest")), x, [160])
    np.testing.assert_allclose(received.sum(axis=-1), x, atol=1e-6)
    expected = keras.ops.convert_to_numpy(separator(x[None]))[0]
    assert decibels(expected, received[..., :2]) >= 110


def test_sources_that_make_up_the_mixture_add_up_to_it_in_a_stream():
    changes = (("sources", ("vocals", "accompaniment")), ("interchangeable", False))
    model, loose = separated("mask_inference", changes)
    x = noise(480, loose.channels)
    received = streamed(eager(model), x, [100, 7])
    np.testing.assert_allclose(received.sum(axis=-1), x, atol=1e-6)
    tight = keras.ops.convert_to_numpy(kerasep.Separator(model, consistent=True)(x[None]))[0]
    assert decibels(tight, received) >= 110
    assert decibels(tight, keras.ops.convert_to_numpy(loose(x[None]))[0]) < 60


@pytest.mark.parametrize("kind", KINDS)
def test_it_knows_its_times(small, kind):
    model, _, streamer = small(kind)
    assert streamer.latency == model.latency
    assert streamer.hop == {"open_unmix": 32, "tasnet": 40, "conv_tasnet": 8, "dprnn": 24}[kind]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (np.zeros((4, 2)), r"shape \(4, 2\), expected \(samples, 1\)"),
        (np.zeros(4), r"shape \(4,\), expected"),
        (np.full((4, 1), np.nan), "NaN"),
    ],
)
def test_blocks_that_are_none(small, block, message):
    with pytest.raises(InputError, match=message):
        small("conv_tasnet")[2].process(block)


@pytest.mark.parametrize(
    ("kind", "changes", "layer"),
    [
        ("open_unmix", {"bidirectional": True}, r"_lstm \(RecurrentStack\) runs backwards"),
        ("conv_tasnet", {"causal": False}, r"separator \(TemporalConvNet\) has convolutions"),
        ("dprnn", {"norm": "global"}, r"separator \(DualPathNet\) has norms that see all"),
        ("dprnn", {"bidirectional": True}, r"separator \(DualPathNet\) runs backwards"),
    ],
)
def test_models_that_cannot_stream(kind, changes, layer):
    with pytest.raises(InputError, match=layer) as caught:
        Streamer(SMALL[kind](**changes))
    assert "open_unmix_like/causal" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wiener_filter_cannot_stream(small):
    model, _, _ = small("open_unmix")
    with pytest.raises(InputError, match=r"phase \(WienerFilter\) iterates"):
        Streamer(kerasep.Separator(model, wiener_iterations=1))


class Custom(SeparationModel):
    """A model whose one layer is given."""

    domain = "waveform"

    def __init__(self, layer):
        mixture = keras.Input((None, 1), name="mixture")
        encoder = kerasep.layers.LearnedAnalysis(8, 16, 8, name="encoder")
        features = encoder(mixture)[..., 0]
        masks = keras.layers.Reshape((-1, 8, 1, 1))(layer(features))
        outputs = kerasep.layers.LearnedSynthesis(16, 8, name="decoder")(masks, mixture)
        super().__init__(mixture, outputs, name="custom")
        self.sources, self.sample_rate, self.channels = ("voice",), 8000, 1


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (keras.layers.Conv1D(8, 3, padding="causal", name="look"), r"look \(Conv1D\)"),
        (kerasep.layers.GlobalLayerNormalization(name="norm"), r"norm \(GlobalLayerNorm"),
        (keras.layers.LSTM(8, return_sequences=True, name="memory"), r"memory \(LSTM\)"),
    ],
)
def test_layers_without_a_streaming_form_are_found_and_named(layer, name):
    with pytest.raises(InputError, match=rf"{name}.* looks at other frames"):
        Streamer(Custom(layer))


def test_layers_of_one_s_own_stream_where_they_look_at_one_frame():
    model = Custom(keras.layers.Dense(8, activation="gelu"))
    x = noise(300, 1)
    expected = keras.ops.convert_to_numpy(model(x[None]))[0]
    assert decibels(expected, streamed(eager(model), x, [150])) >= 110


def test_a_model_without_frames_cannot_stream():
    class Half(Custom):
        def __init__(self):
            mixture = keras.Input((None, 1), name="mixture")
            SeparationModel.__init__(self, mixture, mixture[..., None] / 2, name="half")
            self.sources, self.sample_rate, self.channels = ("voice",), 8000, 1

    with pytest.raises(InputError, match="has no transform or learned filterbank"):
        Streamer(Half())
