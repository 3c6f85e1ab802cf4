"""Separation of any recording: lengths, rates, channels, chunks, files, and what is refused."""

import functools

import av
import keras
import numpy as np
import pytest

import kerasep
from kerasep import data, separation
from kerasep.data import audio
from kerasep.errors import InputError
from kerasep.models import OpenUnmixLike
from kerasep.separation import apply, recordings
from kerasep.separation.apply import Separator, pad_to_frames, separate, separate_file

RATE = 8000


def build(**changes):
    """A small model whose masks differ from bin to bin."""
    keras.utils.set_random_seed(0)
    settings = {
        "sources": ["vocals", "drums"],
        "sample_rate": RATE,
        "channels": 1,
        "n_fft": 256,
        "hop": 64,
        "hidden": 16,
        "lstm_layers": 1,
        "max_hz": 3000,
    }
    return OpenUnmixLike(**{**settings, **changes})


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def causal():
    return build(bidirectional=False)


@pytest.fixture(scope="module")
def stereo():
    return build(channels=2)


def noise(samples, channels=1, level=0.2):
    values = np.random.default_rng(samples).standard_normal((samples, channels))
    return (level * values).astype("float32")


@pytest.mark.parametrize("samples", [1, 2, 63, 64, 128, 129, 255, 256, 257, 7919, 8000])
def test_any_length(model, samples):
    stems = separate(model, noise(samples), residual="rest")
    assert tuple(stems) == ("vocals", "drums", "rest")
    for stem in stems.values():
        assert stem.shape == (samples, 1)
        assert stem.dtype == "float32"
        assert np.isfinite(stem).all()


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 3000])
@pytest.mark.parametrize("samples", [1, 2, 5003])
def test_any_rate(model, rate, samples):
    for stem in separate(model, noise(samples), rate).values():
        assert stem.shape == (samples, 1)
        assert np.isfinite(stem).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels(model, stereo, channels):
    waveform = noise(3000, channels)
    for each in (model, stereo):
        assert separate(each, waveform)["drums"].shape == (3000, channels)
    together = separate(model, waveform)["vocals"]
    for index in range(channels):
        alone = separate(model, waveform[:, index])["vocals"]
        np.testing.assert_allclose(together[:, [index]], alone, atol=1e-6)


def test_equals_the_separator_where_the_length_fits(model):
    waveform = noise(64 * 40)
    expected = Separator(model).predict_on_batch(waveform[None])[0]
    stems = separate(model, waveform)
    np.testing.assert_allclose(stems["vocals"], expected[..., 0], atol=1e-6)
    np.testing.assert_allclose(stems["drums"], expected[..., 1], atol=1e-6)


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
        assert pad_to_frames(np.ones((3, samples, 2)), transform).shape == (3, padded, 2)
    assert pad_to_frames(np.ones((3, 5, 2)), None).shape == (3, 5, 2)


def test_the_mask_is_applied_at_another_rate(model):
    """Twice the model's rate: a tone within the band comes back as at the model's own."""
    tone = np.sin(2 * np.pi * 500 * np.arange(2 * RATE) / (2 * RATE)).astype("float32")
    high = separate(model, tone, 2 * RATE)["vocals"][::2]
    low = separate(model, tone[::2])["vocals"]
    np.testing.assert_allclose(high[500:-500], low[500:-500], atol=0.01)


CHUNKS = {"chunk_seconds": 1.0, "overlap_seconds": 0.48}


@pytest.mark.parametrize("samples", [60000, 60013])
def test_chunks_of_a_causal_model_equal_the_whole(causal, samples):
    """Its memory fades: what it heard before a quarter of the overlap matters no more."""
    waveform = noise(samples)
    whole = separate(causal, waveform)
    chunked = separate(causal, waveform, chunk_seconds=3.0, overlap_seconds=1.44)
    for source in causal.sources:
        np.testing.assert_allclose(chunked[source], whole[source], atol=1e-4)


def test_chunks_of_a_bidirectional_model_have_no_click(model):
    time = np.arange(3 * RATE) / RATE
    waveform = (0.3 * np.sin(2 * np.pi * (200 + 60 * time) * time)).astype("float32")
    whole, chunked = separate(model, waveform), separate(model, waveform, **CHUNKS)
    for source in model.sources:
        steps = np.abs(np.diff(chunked[source][:, 0]))
        assert steps.max() < 1.1 * np.abs(np.diff(whole[source][:, 0])).max()
        assert np.abs(chunked[source] - whole[source]).max() < 0.1 * np.abs(whole[source]).max()


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("iterations", [0, 1])
def test_stems_with_a_residual_sum_to_the_mixture(channels, iterations):
    model = build(channels=channels)
    waveform = noise(9001, channels)
    options = {"residual": "rest", "wiener_iterations": iterations, **CHUNKS}
    stems = separate(model, waveform, **options)
    np.testing.assert_allclose(sum(stems.values()), waveform, atol=1e-5)
    assert all(np.isfinite(stem).all() for stem in stems.values())


def test_the_wiener_filter_changes_the_result(stereo):
    waveform = noise(4000, 2)
    plain, filtered = separate(stereo, waveform), separate(stereo, waveform, wiener_iterations=1)
    assert np.abs(plain["vocals"] - filtered["vocals"]).max() > 1e-3


@pytest.mark.parametrize("iterations", [0, 2])
@pytest.mark.parametrize("rate", [RATE, 44100])
def test_silence(stereo, iterations, rate):
    stems = separate(stereo, np.zeros((5000, 2), "float32"), rate, wiener_iterations=iterations)
    for stem in stems.values():
        np.testing.assert_allclose(stem, 0, atol=1e-7)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow traces")
def test_many_recordings_are_traced_once(monkeypatch):
    """Neither a new length nor a new call may cost a new graph."""
    model, traces = build(), []
    original = type(model).call

    def call(self, *arguments, **options):
        traces.append(self)
        return original(self, *arguments, **options)

    monkeypatch.setattr(type(model), "call", call)
    for samples in (4000, 5000, 6001):
        separate(model, noise(samples))
    few = len(traces)
    for samples in range(4000, 8000, 501):
        separate(model, noise(samples))
    assert len(traces) == few


def test_a_separator_sees_what_its_model_learns(model):
    waveform = noise(2000)
    model = build()
    before = separate(model, waveform)["vocals"]
    layer = model.get_layer("vocals_output")
    layer.shift.assign(2 * np.ones(129))
    assert np.abs(separate(model, waveform)["vocals"] - before).max() > 1e-3


def test_a_separator_keeps_its_own_settings(model):
    separator = Separator(model, residual="rest")
    assert tuple(separate(separator, noise(1000))) == ("vocals", "drums", "rest")
    assert separation.as_separator(separator) is separator
    assert kerasep.Separator is Separator


@pytest.mark.parametrize("residual", ["vocals", "../rest", ""])
def test_names_that_a_residual_cannot_have(model, residual):
    with pytest.raises(InputError, match="received"):
        separate(model, noise(100), residual=residual)


def not_finite():
    waveform = noise(100)
    waveform[50] = np.nan
    return waveform


@pytest.mark.parametrize(
    ("audio", "rate", "message"),
    [
        (np.zeros((0, 1), "float32"), None, "at least one sample"),
        (np.zeros((3, 2, 1), "float32"), None, r"expected \(samples, channels\)"),
        (np.zeros((2, 8000), "float32"), None, "transpose"),
        (np.zeros(100, "int16"), None, "divide by 32768"),
        (not_finite(), None, "NaN"),
        (np.zeros(100, "float32"), 0, "sample_rate=0"),
        (np.zeros(100, "float32"), -8000, "sample_rate=-8000"),
        ("nowhere.wav", None, "nowhere.wav is missing"),
        ("nowhere.wav", 8000, "a file knows its own"),
    ],
)
def test_audio_that_is_refused(model, audio, rate, message):
    with pytest.raises(InputError, match=message) as caught:
        separate(model, audio, rate)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_a_file_equals_its_array(model, tmp_path, rate, channels):
    waveform = noise(3 * rate // 2, channels)
    data.write(tmp_path / "mixture.wav", waveform, rate)
    from_file = separate(model, tmp_path / "mixture.wav")
    from_array = separate(model, waveform, rate)
    paths = separate_file(model, tmp_path / "mixture.wav", tmp_path / "stems")
    assert list(paths) == ["vocals", "drums"]
    for source, path in paths.items():
        written, written_rate = data.read(path)
        assert written_rate == rate
        np.testing.assert_array_equal(written, from_file[source])
        np.testing.assert_allclose(from_file[source], from_array[source], atol=1e-4)


@pytest.mark.parametrize("suffix", [".flac", ".ogg"])
def test_formats(model, tmp_path, suffix):
    data.write(tmp_path / "mixture.wav", noise(5001), RATE)
    shares = []
    paths = separate_file(
        model, tmp_path / "mixture.wav", tmp_path / "stems", suffix=suffix, progress=shares.append
    )
    assert sorted(p.name for p in (tmp_path / "stems").iterdir()) == [
        f"drums{suffix}", f"vocals{suffix}"
    ]  # fmt: skip
    assert data.info(paths["drums"]).samples == 5001
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_files_are_written_as_they_come(model, tmp_path, monkeypatch):
    """However long the file, no block is longer than a chunk."""
    short = functools.partial(separation.chunk_separator, chunk_seconds=1.0, overlap_seconds=0.24)
    monkeypatch.setattr(apply, "chunk_separator", short)
    data.write(tmp_path / "mixture.wav", noise(8 * RATE), RATE)
    separator, given, written = Separator(model), [], []
    predict = separator.predict_on_batch
    monkeypatch.setattr(
        separator, "predict_on_batch", lambda x: given.append(x.shape[1]) or predict(x)
    )
    separate_file(separator, tmp_path / "mixture.wav", tmp_path / "stems", progress=written.append)
    assert max(given) == RATE
    assert len(given) == len(written) > 8
    assert max(np.diff([0, *written])) <= 1.01 / 8


def test_outputs_that_exist_are_kept(model, tmp_path):
    data.write(tmp_path / "mixture.wav", noise(3000), RATE)
    (tmp_path / "drums.wav").write_text("mine")
    with pytest.raises(InputError, match=r"drums\.wav exists"):
        separate_file(model, tmp_path / "mixture.wav", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drums.wav", "mixture.wav"]
    assert (tmp_path / "drums.wav").read_text() == "mine"
    separate_file(model, tmp_path / "mixture.wav", tmp_path, overwrite=True)
    assert data.info(tmp_path / "drums.wav").samples == 3000


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_of_a_run_that_failed(model, tmp_path, error):
    data.write(tmp_path / "mixture.wav", noise(3000), RATE)

    def progress(_share):
        raise error

    with pytest.raises(error):
        separate_file(model, tmp_path / "mixture.wav", tmp_path / "stems", progress=progress)
    assert not (tmp_path / "stems").exists()


def test_a_file_that_turns_out_damaged(model, tmp_path):
    waveform = noise(3000)
    data.write(tmp_path / "mixture.wav", waveform, RATE)
    whole = (tmp_path / "mixture.wav").read_bytes()
    (tmp_path / "mixture.wav").write_bytes(whole[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(InputError, match=r"mixture\.wav has NaN"):
        separate_file(model, tmp_path / "mixture.wav", tmp_path / "stems")
    assert not (tmp_path / "stems").exists()


def test_a_spectrogram_model_is_needed_for_the_filter(model):
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


def test_consistent_estimates_add_up_to_the_mixture(rng):
    model = kerasep.zoo.load("open_unmix_like/small", sources=["vocals", "bass"], hidden=16)
    mixture = 0.1 * rng.standard_normal((16000, 1)).astype("float32")
    loose = separation.separate(model, mixture)
    assert np.abs(sum(loose.values()) - mixture).max() > 0.01
    tight = separation.separate(model, mixture, consistent=True)
    np.testing.assert_allclose(sum(tight.values()), mixture, atol=1e-6)
    rest = mixture - sum(loose.values())
    np.testing.assert_allclose(tight["bass"], loose["bass"] + rest / 2, atol=1e-5)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(separation.as_separator(model, consistent=True))
    )
    assert again.consistent
    with pytest.raises(InputError, match="expected one of them"):
        separation.separate(model, mixture, residual="rest", consistent=True)
    one = kerasep.zoo.load("open_unmix_like/small", sources=["vocals"], hidden=16)
    with pytest.raises(InputError, match="would be the mixture itself"):
        separation.separate(one, mixture, consistent=True)


@pytest.mark.parametrize("count", [1, 2])
def test_a_track_of_several_is_chosen(tmp_path, caplog, count):
    path, rate = tmp_path / "tracks.mka", 48000
    tones = [np.sin(2 * np.pi * tone * np.arange(rate) / rate) for tone in (300, 700)]
    with av.open(path, "w") as file:
        streams = [file.add_stream("pcm_s16le", rate=rate, layout="mono") for _ in range(count)]
        for stream, tone in zip(streams, tones, strict=False):
            values = (tone * 9000).astype("int16")[None]
            frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
            frame.sample_rate = rate
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    halves = recordings.ChunkSeparator(lambda x: x[..., None] / 2, ("half",), rate, 1, 9000, 900)

    def pitch(**track):
        stem = recordings.separate(halves, path, **track)["half"][:, 0]
        return int(np.argmax(np.abs(np.fft.rfft(stem))))

    assert pitch() == 300
    said = [record.getMessage() for record in caplog.records]
    expected = f"{path} has 2 audio tracks, track 1 is taken: 1: pcm_s16le 48000 Hz, 1 channel; 2: "
    assert [line.startswith(expected) for line in said] == [True] * (count - 1)
    caplog.clear()
    assert pitch(track=count) == (300, 700)[count - 1]
    assert not caplog.records
    for track in (0, count + 1):
        with pytest.raises(InputError, match=f"received track {track} .*1: pcm_s16le"):
            pitch(track=track)
    written = recordings.separate_file(halves, path, tmp_path / "stems", track=count)
    stem, _ = audio.read(written["half"])
    assert int(np.argmax(np.abs(np.fft.rfft(stem[:, 0])))) == (300, 700)[count - 1]
    with pytest.raises(InputError, match="with an array"):
        recordings.separate(halves, stem, track=1)
