"""Recordings of any length, rate and channel count; what is refused; files and their stems."""

import av
import numpy as np
import pytest
import soxr

from kerasep import data
from kerasep.errors import InputError
from kerasep.separation import separate, separate_file
from kerasep.separation.recordings import ChunkSeparator
from kerasep.separation.stem_files import outputs

RATE = 8000
GAINS = np.array([0.5, -0.25], "float32")
HALVES = ChunkSeparator(lambda x: x[..., None] * GAINS, ("half", "rest"), RATE, 1, 4000, 400)


def noise(samples, channels=1):
    values = np.random.default_rng(samples).standard_normal((samples, channels))
    return (0.2 * values).astype("float32")


@pytest.fixture
def mixture(tmp_path):
    path = tmp_path / "mixture.wav"
    data.write(path, noise(9001), RATE)
    return path


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("samples", [5, 399, 4000, 4001, 9013])
def test_any_length_and_number_of_channels(samples, channels):
    waveform = noise(samples, channels)
    stems = separate(HALVES, waveform)
    assert tuple(stems) == ("half", "rest")
    for stem, gain in zip(stems.values(), GAINS, strict=True):
        assert stem.dtype == "float32"
        np.testing.assert_array_equal(stem, gain * waveform)


@pytest.mark.parametrize("rate", [3000, 11025, 44100, 48000])
def test_any_rate_is_resampling_there_and_back(rate):
    for samples in (1, 2, 7, 5003, 20000):
        waveform = noise(samples)
        expected = np.zeros((samples, 1))
        low = soxr.resample(waveform, rate, RATE)
        if len(low):  # else a recording of less than one sample, which becomes silence
            back = soxr.resample(low, RATE, rate)[:samples]
            expected[: len(back)] = back
        stems = separate(HALVES, waveform, rate)
        np.testing.assert_allclose(stems["half"], 0.5 * expected, atol=1e-5)
        np.testing.assert_allclose(stems["rest"], -0.25 * expected, atol=1e-5)


def test_silence_is_not_given_to_the_model(caplog):
    noisy = HALVES._replace(process=lambda x: np.ones((*x.shape, 2)))
    stems = separate(noisy, np.zeros((5000, 2), "float32"), 44100)
    assert [stem.any() for stem in stems.values()] == [False, False]
    assert "the recording is silent throughout: so are its stems" in caplog.text
    assert separate(noisy, noise(5000))["half"].all()


def test_anything_with_a_chunk_separator_is_a_model(mixture, tmp_path):
    class Exported:
        def chunk_separator(self):
            return HALVES

    np.testing.assert_array_equal(separate(Exported(), mixture)["half"], 0.5 * noise(9001))
    paths = separate_file(Exported(), mixture, tmp_path / "stems")
    np.testing.assert_array_equal(data.read(paths["rest"])[0], -0.25 * noise(9001))


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
def test_audio_that_is_refused(audio, rate, message):
    with pytest.raises(InputError, match=message) as caught:
        separate(HALVES, audio, rate)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (44100, 2)])
def test_a_file_equals_its_array(tmp_path, rate, channels):
    waveform = noise(3 * rate // 2, channels)
    data.write(tmp_path / "mixture.wav", waveform, rate)
    from_file = separate(HALVES, tmp_path / "mixture.wav")
    from_array = separate(HALVES, waveform, rate)
    paths = separate_file(HALVES, tmp_path / "mixture.wav", tmp_path / "stems")
    assert list(paths) == ["half", "rest"]
    for source, path in paths.items():
        written, written_rate = data.read(path)
        assert written_rate == rate
        np.testing.assert_array_equal(written, from_file[source])
        np.testing.assert_allclose(from_file[source], from_array[source], atol=1e-4)


@pytest.mark.parametrize(("suffix", "error"), [(".flac", 1e-6), (".ogg", 0.2)])
def test_formats(mixture, tmp_path, suffix, error):
    shares = []
    paths = separate_file(
        HALVES, mixture, tmp_path / "stems", suffix=suffix, progress=shares.append
    )
    assert sorted(p.name for p in (tmp_path / "stems").iterdir()) == [
        f"half{suffix}", f"rest{suffix}"
    ]  # fmt: skip
    np.testing.assert_allclose(data.read(paths["half"])[0], 0.5 * noise(9001), atol=error)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_files_are_written_as_they_come(tmp_path):
    """However long the file, no block is longer than a chunk."""
    data.write(tmp_path / "mixture.wav", noise(8 * RATE), RATE)
    lengths, written = [], []
    separator = HALVES._replace(process=lambda x: lengths.append(x.shape[1]) or HALVES.process(x))
    separate_file(separator, tmp_path / "mixture.wav", tmp_path / "stems", progress=written.append)
    assert max(lengths) == 4000
    assert len(lengths) == len(written) > 16
    assert max(np.diff([0, *written])) <= 1.01 / 16


def test_outputs_that_exist_are_kept(mixture, tmp_path):
    (tmp_path / "rest.wav").write_text("mine")
    with pytest.raises(InputError, match=r"rest\.wav exists"):
        separate_file(HALVES, mixture, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mixture.wav", "rest.wav"]
    assert (tmp_path / "rest.wav").read_text() == "mine"
    paths = outputs(HALVES.sources, tmp_path, overwrite=True)
    assert separate_file(HALVES, mixture, tmp_path, overwrite=True) == paths
    np.testing.assert_array_equal(data.read(tmp_path / "rest.wav")[0], -0.25 * noise(9001))


def test_resuming_writes_the_missing_stems_alone(mixture, tmp_path):
    paths = separate_file(HALVES, mixture, tmp_path / "stems")
    paths["rest"].unlink()
    before = paths["half"].stat().st_mtime_ns
    separate_file(HALVES, mixture, tmp_path / "stems", resume=True)
    assert paths["half"].stat().st_mtime_ns == before
    np.testing.assert_array_equal(data.read(paths["rest"])[0], -0.25 * noise(9001))
    for content, message in ((None, "is not a stem"), (noise(5), r"another recording \(5 samples")):
        paths["half"].write_text("mine")
        if content is not None:
            data.write(paths["half"], content, RATE, overwrite=True)
        with pytest.raises(InputError, match=message):
            separate_file(HALVES, mixture, tmp_path / "stems", resume=True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nothing_is_left_of_a_run_that_failed(mixture, tmp_path, error):
    def progress(_share):
        raise error

    with pytest.raises(error):
        separate_file(HALVES, mixture, tmp_path / "stems", progress=progress)
    assert not (tmp_path / "stems").exists()


def test_a_file_that_turns_out_damaged(mixture, tmp_path):
    mixture.write_bytes(mixture.read_bytes()[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(InputError, match=r"mixture\.wav has NaN"):
        separate_file(HALVES, mixture, tmp_path / "stems")
    assert not (tmp_path / "stems").exists()


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
    separator = HALVES._replace(sample_rate=rate)

    def pitch(**track):
        stem = separate(separator, path, **track)["half"][:, 0]
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
    written = separate_file(separator, path, tmp_path / "stems", track=count)
    stem, _ = data.read(written["half"])
    assert int(np.argmax(np.abs(np.fft.rfft(stem[:, 0])))) == (300, 700)[count - 1]
    with pytest.raises(InputError, match="with an array"):
        separate(separator, stem, track=1)
