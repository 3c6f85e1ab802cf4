"""Conv-TasNet, DPRNN and TasNet: published sizes, receptive fields, any length."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import ConvTasNetLike, DPRNNLike, TasNetLike

CONV = {"filters": 16, "bottleneck": 6, "hidden": 8, "skip": 5, "blocks": 3, "repeats": 2}
DPRNN = {"filters": 16, "bottleneck": 6, "hidden": 4, "chunk": 6, "blocks": 2}
SMALL = {
    "conv": lambda **changes: ConvTasNetLike(**{**CONV, **changes}),
    "dprnn": lambda **changes: DPRNNLike(**{**DPRNN, **changes}),
    "tasnet": lambda **changes: TasNetLike(**{"filters": 16, "hidden": 8, **changes}),
}


def noise(samples=1003, channels=1):
    x = np.random.default_rng(0).standard_normal((1, samples, channels))
    return 0.1 * x.astype("float32")


def run(model, x):
    return convert_to_numpy(model(x))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"),
    [
        # Asteroid's number, 5,050,545, less a convolution of 513 * 128 without an effect.
        ("conv_tasnet_like/speech", 4_984_881),
        ("conv_tasnet_like/music", 10_977_872),
        # Asteroid's number, 3,652,865, less the second biases of 24 LSTM directions.
        ("dprnn_like/k16", 3_640_577),
        ("tasnet_like/blstm", 23_078_000),
        ("tasnet_like/lstm", 31_078_000),
    ],
)
def test_sizes(name, count):
    assert zoo.load(name).count_params() == count


def test_music_has_the_weights_of_the_publication():
    """Weights of N=256, L=20, B=256, H=512, P=3, X=10, R=4 for 2 channels and 4 sources."""
    sizes = {"N": 256, "L": 20, "B": 256, "H": 512, "P": 3, "channels": 2, "sources": 4}

    def weights(N, L, B, H, P, channels, sources):
        filterbanks = [(N, channels * L)] * 2
        block = [(B, H), (1, 1), (H,), (H,), (P, H, 1), (1, 1), (H,), (H,), (H, B)]
        return filterbanks + [(N,), (N,), (N, B), (B, sources * N)] + 40 * block

    found = [tuple(weight.shape) for weight in zoo.load("conv_tasnet_like/music").weights]
    assert sorted(found) == sorted(weights(**sizes))


@pytest.mark.parametrize("kind", SMALL)
def test_any_length(kind):
    """Inputs shorter than a frame are padded with zeros."""
    model = SMALL[kind]()
    for samples in (1, 15):
        x = noise(samples)
        filled = np.pad(x, [[0, 0], [0, model.kernel_size - samples], [0, 0]])
        outputs = run(model, x)
        assert outputs.shape == (1, samples, 1, 2)
        assert outputs[:, 0].any()
        np.testing.assert_allclose(outputs, run(model, filled)[:, :samples], atol=1e-6)
    assert run(model, noise(1003)).shape == (1, 1003, 1, 2)


@pytest.mark.parametrize("kind", ["conv", "dprnn"])
def test_samples_that_fill_no_frame_are_not_seen(kind):
    model = SMALL[kind]()
    x = noise(1003)
    outputs = run(model, x)
    np.testing.assert_allclose(outputs[:, :1000], run(model, x[:, :1000]), atol=1e-6)
    np.testing.assert_array_equal(outputs[:, 1000:], 0)


@pytest.mark.parametrize("changed", [400, 405, 413])
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("conv", {"causal": True}),
        ("conv", {"causal": True, "lean": True, "norm": "layer", "skip": 0}),
        ("dprnn", {"bidirectional": False, "norm": "layer"}),
        ("tasnet", {"bidirectional": False}),
    ],
)
def test_causal_models_look_no_further_ahead_than_their_latency(kind, changes, changed):
    model = SMALL[kind](**changes)
    x = noise()
    before = run(model, x)
    x[:, changed:] = noise()[:, : 1003 - changed]
    moved = np.flatnonzero(np.abs(run(model, x) - before).max(axis=(0, 2, 3)) > 1e-7)
    assert changed - model.latency < moved.min() <= changed
    assert SMALL[kind]().latency is None


def test_channels_are_analysed_together():
    model = SMALL["conv"](channels=2, encoder_activation="relu")
    x = noise(channels=2)
    only_one = x * np.array([1, 0], "float32")
    assert run(model, only_one)[:, :, 1].any()


def test_tasnet_follows_the_level():
    model = SMALL["tasnet"]()
    x = noise()
    np.testing.assert_allclose(run(model, 10 * x), 10 * run(model, x), rtol=1e-3, atol=1e-5)


def test_tasnets_masks_sum_to_one():
    model = SMALL["tasnet"](sources=["a", "b", "c"])
    x = noise(1000)
    features, levels = model.get_layer("encoder")(x)
    expected = model.get_layer("decoder")(features * levels)
    np.testing.assert_allclose(run(model, x).sum(axis=-1), convert_to_numpy(expected), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("conv", {"hop": 17}, "hop=17"),
        ("conv", {"causal": True, "norm": "global"}, "norm='global'"),
        ("dprnn", {"chunk": 0}, "chunk=0"),
        ("dprnn", {"norm": "cumulative"}, "norm='cumulative'"),
        ("tasnet", {"lstm_layers": 0}, "lstm_layers=0"),
        ("tasnet", {"hidden": 7}, "hidden=7"),
        ("tasnet", {"sources": ["speech"]}, "expected 2 or more"),
    ],
)
def test_refusals(kind, changes, expected):
    with pytest.raises(InputError, match=expected):
        SMALL[kind](**changes)
