"""A model as waveform to waveforms, and as a separator of recordings."""

import keras
import numpy as np
import pytest

import kerasep
from kerasep import data, separation
from kerasep.errors import InputError
from kerasep.models import OpenUnmixLike
from kerasep.separation import Separator, pad_to_frames, separate, separate_file

RATE = 8000
FADES = {"chunk_seconds": 1.0, "overlap": 0.48}


def build(**changes):
    """A small model whose masks differ from bin to bin."""
    keras.utils.set_random_seed(0)
    settings = {
        "sources": ["vocals", "drums"],
        "sample_rate": RATE,
        "channels": 1,
        "n_fft": 256,
        "hop": 64,
        "hidden": 8,
        "lstm_layers": 1,
        "max_hz": 3000,
    }
    return OpenUnmixLike(**{**settings, **changes})


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def stereo():
    return build(channels=2)


def noise(samples, channels=1, level=0.2):
    values = np.random.default_rng(samples).standard_normal((samples, channels))
    return (level * values).astype("float32")


def called(separator, waveform):
    """Sources `(samples, channels, sources)` of one call: not traced, for short waveforms."""
    return keras.ops.convert_to_numpy(separator(waveform[None]))[0]


def predicted(separator, batch):
    """Sources of one traced call, without any chunks."""
    return np.asarray(separator.predict_on_batch(batch))


def test_any_length_is_one_call_on_the_padded_waveform(model):
    separator = separation.as_separator(model, residual="rest")
    for samples in (1, 63, 64, 255, 256, 257, 2000):
        waveform = noise(samples)
        expected = predicted(separator, pad_to_frames(waveform[None], model.stft))[0, :samples]
        stems = separate(model, waveform, residual="rest")
        assert tuple(stems) == ("vocals", "drums", "rest")
        np.testing.assert_allclose(np.stack([*stems.values()], -1), expected, atol=1e-6)
        assert {stem.dtype.name for stem in stems.values()} == {"float32"}


def test_channels_are_separated_in_groups_of_the_models(model, stereo):
    waveform = noise(2560, 3)
    one_by_one = predicted(separation.as_separator(model), waveform.T[..., None])[:, :, 0, 1].T
    np.testing.assert_allclose(separate(model, waveform)["drums"], one_by_one, atol=1e-6)
    batch = np.stack([waveform[:, [0, 1]], waveform[:, [2, 2]]])
    pairs = predicted(separation.as_separator(stereo), batch)[..., 1]
    expected = np.concatenate([pairs[0], pairs[1, :, :1]], axis=1)
    np.testing.assert_allclose(separate(stereo, waveform)["drums"], expected, atol=1e-6)


@pytest.mark.parametrize("samples", [5 * 256 + 1, 5 * 256 + 131])
def test_the_last_samples_of_half_overlapping_frames(samples):
    """They have no window to speak of without the padding; the identity shows it."""
    model = build(sources=["all"], n_fft=512, hop=256)
    model.get_layer("all_output").scale.assign(np.zeros(257))  # a mask of ones
    waveform = noise(samples)
    np.testing.assert_allclose(separate(model, waveform)["all"], waveform, atol=1e-5)


def test_padding():
    transform = {"n_fft": 256, "hop": 64}
    for samples, padded in [(1, 256), (256, 256), (257, 320), (320, 320)]:
        result = pad_to_frames(np.ones((3, samples, 2)), transform)
        assert result.shape == (3, padded, 2)
        assert result[:, :samples].all()
        assert not result[:, samples:].any()
    assert pad_to_frames(np.ones((3, 5, 2)), None).shape == (3, 5, 2)


def test_the_mask_is_applied_at_another_rate(model):
    """Twice the model's rate: a tone within the band comes back as at the model's own."""
    tone = np.sin(2 * np.pi * 500 * np.arange(2 * RATE) / (2 * RATE)).astype("float32")
    high = separate(model, tone, 2 * RATE)["vocals"][::2]
    low = separate(model, tone[::2])["vocals"]
    np.testing.assert_allclose(high[500:-500], low[500:-500], atol=0.01)


def test_chunks_of_a_causal_model_equal_the_whole():
    """Its memory fades: what it heard before a quarter of the overlap matters no more."""
    causal, waveform = build(bidirectional=False), noise(32013)
    whole = separate(causal, waveform)
    chunked = separate(causal, waveform, chunk_seconds=3.0, overlap=0.48)
    for source in causal.sources:
        np.testing.assert_allclose(chunked[source], whole[source], atol=1e-4)


def test_chunks_of_a_bidirectional_model_have_no_click(model):
    time = np.arange(3 * RATE) / RATE
    waveform = (0.3 * np.sin(2 * np.pi * (200 + 60 * time) * time)).astype("float32")
    whole, chunked = separate(model, waveform), separate(model, waveform, **FADES)
    for source in model.sources:
        steps = np.abs(np.diff(chunked[source][:, 0]))
        assert steps.max() < 1.1 * np.abs(np.diff(whole[source][:, 0])).max()
        assert np.abs(chunked[source] - whole[source]).max() < 0.1 * np.abs(whole[source]).max()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_stems_with_a_residual_sum_to_the_mixture(channels):
    model, waveform = build(channels=channels), noise(640, channels)
    plain, filtered = (
        called(Separator(model, wiener_iterations=n, residual="rest"), waveform) for n in (0, 1)
    )
    np.testing.assert_allclose(plain.sum(axis=-1), waveform, atol=1e-5)
    np.testing.assert_allclose(filtered.sum(axis=-1), waveform, atol=1e-5)
    assert np.abs(plain - filtered).max() > 1e-3
    silence = called(Separator(model, wiener_iterations=1, residual="rest"), 0 * waveform)
    np.testing.assert_allclose(silence, 0, atol=1e-7)


def test_chunks_with_a_residual_sum_to_the_mixture(model):
    waveform = noise(9001)
    stems = separate(model, waveform, residual="rest", **FADES)
    np.testing.assert_allclose(sum(stems.values()), waveform, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow traces")
def test_many_recordings_are_traced_once(monkeypatch):
    """Neither a new length nor a new call may cost a new graph."""
    model, traces = build(), []
    original = type(model).call

    def call(self, *arguments, **options):
        traces.append(self)
        return original(self, *arguments, **options)

    monkeypatch.setattr(type(model), "call", call)
    for samples in (2000, 3000, 4001):
        separate(model, noise(samples))
    few = len(traces)
    for samples in range(2000, 4000, 401):
        separate(model, noise(samples))
    assert len(traces) == few


def test_a_separator_sees_what_its_model_learns():
    model, waveform = build(), noise(640)
    before = separate(model, waveform)["vocals"]
    model.get_layer("vocals_output").shift.assign(2 * np.ones(129))
    after = separate(model, waveform)["vocals"]
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, called(Separator(model), waveform)[..., 0], atol=1e-6)


def test_a_separator_keeps_its_own_settings(model):
    separator = Separator(model, residual="rest")
    assert tuple(separate(separator, noise(640))) == ("vocals", "drums", "rest")
    assert separation.as_separator(separator) is separator
    assert separation.as_separator(model) is separation.as_separator(model)
    assert kerasep.Separator is Separator


@pytest.mark.parametrize("residual", ["vocals", "../rest", ""])
def test_names_that_a_residual_cannot_have(model, residual):
    with pytest.raises(InputError, match="received"):
        separate(model, noise(100), residual=residual)


def test_files_of_a_model_are_those_of_its_separator(model, tmp_path):
    waveform = noise(3001)
    data.write(tmp_path / "mixture.wav", waveform, RATE)
    paths = separate_file(model, tmp_path / "mixture.wav", tmp_path / "stems", residual="rest")
    expected = separate(model, waveform, residual="rest")
    assert list(paths) == list(expected)
    for source, path in paths.items():
        np.testing.assert_allclose(data.read(path)[0], expected[source], atol=1e-6)


def test_a_spectrogram_model_is_needed_for_the_filter():
    class Identity(kerasep.models.SeparationModel):
        domain = "waveform"

        def __init__(self):
            inputs = keras.Input((None, 1))
            super().__init__(inputs, keras.ops.stack([inputs, 0 * inputs], axis=-1), "identity")
            self.sources, self.sample_rate, self.channels = ("all", "none"), RATE, 1

    waveform = noise(1001)
    with pytest.raises(InputError, match="waveform model identity, expected 0"):
        separate(Identity(), waveform, wiener_iterations=1)
    stems = separate(Identity(), waveform, residual="rest")
    np.testing.assert_allclose(stems["all"], waveform, atol=1e-7)
    np.testing.assert_allclose(stems["rest"], 0, atol=1e-7)


def test_consistent_estimates_add_up_to_the_mixture(model):
    mixture = noise(640)
    loose = called(Separator(model), mixture)
    rest = mixture - loose.sum(axis=-1)
    assert np.abs(rest).max() > 0.01
    tight = called(Separator(model, consistent=True), mixture)
    np.testing.assert_allclose(tight.sum(axis=-1), mixture, atol=1e-6)
    np.testing.assert_allclose(tight, loose + rest[..., None] / 2, atol=1e-5)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(Separator(model, consistent=True))
    )
    assert again.consistent
    with pytest.raises(InputError, match="expected one of them"):
        separate(model, mixture, residual="rest", consistent=True)
    with pytest.raises(InputError, match="would be the mixture itself"):
        separate(build(sources=["vocals"]), mixture, consistent=True)


WHOLE = ["vocals", "accompaniment"]


def test_sources_that_make_up_the_mixture_add_up_to_it():
    whole, mixture = build(sources=WHOLE), noise(640)
    tight = called(Separator(whole, consistent=True), mixture)
    for settings in ({}, {"consistent": None}, {"consistent": True}):
        stems = separate(whole, mixture, **settings)
        np.testing.assert_allclose(np.stack([*stems.values()], -1), tight, atol=1e-6)
    loose = separate(whole, mixture, consistent=False)
    np.testing.assert_allclose(
        np.stack([*loose.values()], -1), called(Separator(whole), mixture), atol=1e-6
    )
    assert np.abs(sum(loose.values()) - mixture).max() > 0.01


@pytest.mark.parametrize(
    ("sources", "settings", "consistent", "residual"),
    [
        (WHOLE, {}, True, "accompaniment"),
        (WHOLE, {"consistent": False}, False, "accompaniment"),
        (WHOLE, {"residual": "rest"}, False, "rest"),
        (["vocals"], {}, False, None),
        (["vocals"], {"residual": "accompaniment"}, False, "accompaniment"),
        (["vocals", "drums"], {}, False, None),
        (["vocals", "drums"], {"consistent": True}, True, None),
    ],
)
def test_what_is_consistent_and_what_is_residual(sources, settings, consistent, residual):
    separator = separation.as_separator(build(sources=sources), **settings)
    assert separator.consistent == consistent
    assert not Separator(separator.model).consistent
    assert separation.as_chunk_separator(separator).residual == residual
    assert separation.as_chunk_separator(separator.model, **settings).residual == residual


def test_interchangeable_sources_are_left_alone():
    sizes = {"n_fft": 256, "hop": 64, "units": 4, "lstm_layers": 1, "sample_rate": RATE}
    model = kerasep.models.MaskInferenceLike(WHOLE, **sizes)
    separator = separation.as_separator(model)
    assert model.interchangeable
    assert not separator.consistent
    assert separation.as_chunk_separator(separator).residual is None
    # Chunks may put the residual, too, into another place.
    assert separation.as_chunk_separator(model, residual="noise").residual is None
    named = kerasep.models.MaskInferenceLike(WHOLE, interchangeable=False, **sizes)
    assert separation.as_separator(named).consistent


@pytest.mark.parametrize("residual", [None, "accompaniment"])
@pytest.mark.parametrize(("rate", "channels"), [(22050, 2), (RATE, 3), (6000, 1)])
def test_stems_of_a_model_add_up_at_the_recording_s_rate(residual, rate, channels):
    model = build(sources=WHOLE if residual is None else ["vocals"])
    mixture = noise(9001, channels)
    stems = separate(model, mixture, rate, residual=residual, **FADES)
    assert list(stems) == WHOLE
    error = sum(stems.values()) - mixture
    assert np.square(error).sum() < 1e-9 * np.square(mixture).sum()


def test_a_chunk_separator_is_taken_as_it_is(model):
    separator = separation.as_chunk_separator(model, chunk_seconds=2.0, overlap=0.25)
    assert (separator.chunk, separator.overlap, separator.hop) == (2 * RATE, RATE // 2, 64)
    assert separation.as_chunk_separator(separator) is separator


@pytest.mark.parametrize("seconds", [1.0, 65 * 64 / RATE])  # 125 and 65 hops
def test_chunks_of_odd_numbers_of_hops_may_overlap_by_half(model, seconds):
    mixture = noise(3 * RATE, 1)
    whole = separate(model, mixture, chunk_seconds=seconds, overlap=0.5)["vocals"]
    assert whole.shape == mixture.shape
    assert np.isfinite(whole).all()
    with pytest.raises(InputError, match=r"overlap=0.7, expected a share of a chunk, .* to 0\.5"):
        separate(model, mixture, chunk_seconds=seconds, overlap=0.7)


def test_models_of_several_rates_are_averaged():
    slow, fast = build(sources=WHOLE), build(sources=WHOLE[::-1], sample_rate=11025)
    mixture = noise(9001, 2)
    first, second = (separate(model, mixture, 22050) for model in (slow, fast))
    mean = separate([slow, fast], mixture, 22050, weights=[2, 1])
    for name in WHOLE:
        expected = (2 * first[name] + second[name]) / 3
        np.testing.assert_allclose(mean[name], expected, atol=1e-6)
    assert np.abs(first["vocals"] - second["vocals"]).max() > 1e-3
