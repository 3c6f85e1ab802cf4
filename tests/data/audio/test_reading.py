"""Reading audio files: whole, in slices, as streams, and errors."""

import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from kerasep.data import audio
from kerasep.errors import InputError

AUDIO = Path(os.environ.get("KERASEP_AUDIO", "no-recordings"))
MUSDB = AUDIO / "musdb_sample/train/Music Delta - 80s Rock.stem.mp4"
RATE = 44100


def noise(samples=RATE, channels=2, seed=0):
    values = np.random.default_rng(seed).normal(0, 0.1, (samples, channels))
    return values.clip(-0.99, 0.99).astype("float32")


def encode(path, waveform, codec, rate=RATE):
    """Write a file through PyAV, one stream per waveform."""
    waveforms = waveform if isinstance(waveform, list) else [waveform]
    with av.open(path, "w") as file:
        # Perceptual noise substitution is random by design: it depends on what was decoded before.
        options = {"aac_pns": "0"} if codec == "aac" else {}
        streams = [
            file.add_stream(codec, rate=rate, layout="stereo", options=options) for _ in waveforms
        ]
        for stream, values in zip(streams, waveforms, strict=True):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(values.T), format="fltp", layout="stereo"
            )
            frame.sample_rate = RATE
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio")
    values = noise()
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"):
        soundfile.write(folder / f"{subtype}.wav", values, RATE, subtype)
    for name in ("a.flac", "a.ogg", "a.mp3", "a.aiff"):
        soundfile.write(folder / name, values, RATE)
    encode(folder / "aac.m4a", values, "aac")
    encode(folder / "alac.m4a", values, "alac")
    encode(folder / "opus.webm", values, "libopus", 48000)
    encode(folder / "two.mp4", [values, noise(seed=1)], "aac")
    return folder


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("PCM_U8.wav", 1e-2),
        ("PCM_16.wav", 1e-4),
        ("PCM_24.wav", 1e-6),
        ("PCM_32.wav", 1e-7),
        ("FLOAT.wav", 0),
        ("DOUBLE.wav", 0),
        ("a.flac", 1e-4),
        ("a.aiff", 1e-4),
        ("alac.m4a", 1e-4),
    ],
)
def test_lossless_formats_give_the_samples(folder, name, tolerance):
    waveform, rate = audio.read(folder / name)
    assert rate == RATE
    assert waveform.dtype == np.float32
    assert waveform.shape == (RATE, 2)
    np.testing.assert_allclose(waveform, noise(), atol=tolerance)


def test_long_files_are_joined_of_several_blocks(tmp_path):
    values = np.random.default_rng(0).integers(-9999, 9999, (1 << 22) + 999).astype("int16")
    soundfile.write(tmp_path / "long.wav", values, RATE)
    waveform, _ = audio.read(tmp_path / "long.wav")
    np.testing.assert_array_equal(waveform[:, 0], values / np.float32(32768))
    assert audio.read(tmp_path / "long.wav", start=len(values))[0].shape == (0, 1)


@pytest.mark.parametrize("name", ["PCM_16.wav", "a.flac", "a.ogg", "a.mp3", "aac.m4a"])
def test_names_that_are_not_utf_8(folder, tmp_path, name):
    """Names with bytes that are not UTF-8, or characters that terminals and shells interpret."""
    inside = tmp_path / "caf\udce9 \x1b[31m\n$"
    inside.mkdir()
    path = inside / f"=\udcff{name}"
    path.write_bytes((folder / name).read_bytes())
    assert audio.info(path) == audio.info(folder / name)
    for read in (str(path), path):
        np.testing.assert_array_equal(audio.read(read)[0], audio.read(folder / name)[0])
    blocks = np.concatenate(list(audio.stream(path)))
    np.testing.assert_array_equal(blocks, audio.read(folder / name)[0])
    path.write_bytes(b"no audio, but long enough to look at")
    with pytest.raises(InputError) as caught:
        audio.info(path)
    assert str(caught.value).startswith(str(tmp_path) + r"/caf\xe9 \x1b[31m\n$/=\xff")
    str(caught.value).encode("utf-8")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_writing_under_a_name_that_is_not_utf_8(tmp_path, suffix):
    path = tmp_path / f"caf\udce9{suffix}"
    audio.write(path, noise(), RATE)
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9" + suffix.encode()]
    assert audio.info(path).samples == RATE


ALL = ["PCM_16.wav", "a.flac", "a.ogg", "a.mp3", "aac.m4a", "alac.m4a", "opus.webm", "two.mp4"]


@pytest.mark.parametrize("name", ALL)
def test_a_slice_read_by_seeking_equals_the_slice_of_the_whole(folder, name):
    whole, rate = audio.read(folder / name)
    assert audio.info(folder / name) == (rate, len(whole), 2)
    for start, samples in [(0, 100), (7, 2000), (1030, 5000), (20001, 9000), (len(whole) - 50, 50)]:
        part, _ = audio.read(folder / name, start=start, samples=samples)
        np.testing.assert_allclose(part, whole[start : start + samples], atol=1e-4)


@pytest.mark.parametrize("name", ["a.flac", "aac.m4a", "opus.webm"])
@pytest.mark.parametrize("rate", [None, 16000, 48000])
def test_stream_joins_to_read(folder, name, rate):
    blocks = list(audio.stream(folder / name, rate, block=5000))
    assert len(blocks) > 3
    np.testing.assert_allclose(
        np.concatenate(blocks), audio.read(folder / name, rate)[0], atol=1e-5
    )


@pytest.mark.parametrize("rate", [16000, 48000, 22050, 11111])
def test_a_resampled_slice_has_no_edges(folder, rate):
    whole, _ = audio.read(folder / "a.flac", rate)
    assert len(whole) == rate
    start = RATE // 2
    part, _ = audio.read(folder / "a.flac", rate, start=start, samples=RATE // 4)
    assert len(part) == round(rate / 4)
    if start * rate % RATE == 0:
        first = start * rate // RATE
        np.testing.assert_allclose(part, whole[first : first + len(part)], atol=1e-4)


def test_resample_keeps_a_tone():
    time = np.arange(RATE)[:, None] / RATE
    tone = np.sin(2 * np.pi * 1000 * time).astype("float32")
    resampled = audio.resample(tone, RATE, 16000)
    expected = np.sin(2 * np.pi * 1000 * np.arange(16000)[:, None] / 16000)
    np.testing.assert_allclose(resampled[500:-500], expected[500:-500], atol=1e-4)


def test_streams_of_a_container_are_told_apart(folder):
    first, second = (audio.read(folder / "two.mp4", stream=index)[0] for index in (0, 1))
    assert np.abs(first - second).max() > 0.1
    with pytest.raises(InputError, match="2 audio streams: there is no stream 2"):
        audio.read(folder / "two.mp4", stream=2)
    with pytest.raises(InputError, match="1 audio streams: there is no stream 1"):
        audio.read(folder / "a.flac", stream=1)


@pytest.mark.skipif(not MUSDB.exists(), reason=f"no MUSDB18 sample at {MUSDB}")
def test_musdb_stem_file():
    for stream in range(5):
        whole, rate = audio.read(MUSDB, stream=stream)
        assert (rate, *whole.shape) == (44100, 299880, 2)
        for start in (5, 1500, 130001, 290000):
            part, _ = audio.read(MUSDB, start=start, samples=9000, stream=stream)
            np.testing.assert_allclose(part, whole[start : start + 9000], atol=1e-4)


def test_silence_is_no_error(tmp_path):
    audio.write(tmp_path / "silence.wav", np.zeros((10, 1)), 8000)
    assert not audio.read(tmp_path / "silence.wav")[0].any()


def refuse(path, *words, **arguments):
    with pytest.raises(InputError) as caught:
        audio.read(path, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    for word in (Path(path).name, *words):
        assert word in message


def test_refuses_what_is_no_audio(tmp_path):
    refuse(tmp_path / "nowhere.wav", "missing")
    refuse(tmp_path, "folder")
    (tmp_path / "empty.wav").touch()
    refuse(tmp_path / "empty.wav", "empty")
    for name in ("text.wav", "text.mp4", "text.txt", "text.raw"):
        (tmp_path / name).write_text("no audio here\n" * 100)
        refuse(tmp_path / name, "not audio")
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 8000)
    refuse(tmp_path / "none.wav", "no samples")


def test_a_playlist_does_not_open_other_files(folder, tmp_path):
    playlist = tmp_path / "list.m4a"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{folder / 'a.mp3'}\n#EXT-X-ENDLIST\n")
    refuse(playlist, "not audio")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_refuses_nan(tmp_path, value):
    values = noise(1000)
    values[500] = value
    soundfile.write(tmp_path / "nan.wav", values, RATE, "FLOAT")
    refuse(tmp_path / "nan.wav", "NaN")
    waveform, _ = audio.read(tmp_path / "nan.wav", samples=400)
    np.testing.assert_array_equal(waveform, values[:400])


@pytest.mark.parametrize("name", ["PCM_16.wav", "FLOAT.wav", "a.aiff", "a.flac", "alac.m4a"])
def test_refuses_truncated_files(folder, tmp_path, name):
    whole = (folder / name).read_bytes()
    cut = tmp_path / f"cut{name}"
    cut.write_bytes(whole[: len(whole) // 2])
    refuse(cut)
    with pytest.raises(InputError, match="cut"):
        list(audio.stream(cut))


def test_truncated_mp4_with_its_index_first(folder, tmp_path):
    path = tmp_path / "fast.mp4"
    with av.open(path, "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("alac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(noise().T), format="fltp", layout="stereo"
        )
        frame.sample_rate = RATE
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    waveform, _ = audio.read(path, samples=4096)
    np.testing.assert_allclose(waveform, noise()[:4096], atol=1e-4)
    refuse(path)


def test_a_wav_of_unknown_length_is_read_to_its_end(folder, tmp_path):
    values = bytearray((folder / "PCM_16.wav").read_bytes())
    at = values.find(b"data") + 4
    values[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "piped.wav").write_bytes(values)
    assert audio.info(tmp_path / "piped.wav").samples == RATE


def test_a_flac_of_unknown_length_is_counted(folder, tmp_path):
    values = bytearray((folder / "a.flac").read_bytes())
    values[21] &= 0xF0
    values[22:26] = bytes(4)
    (tmp_path / "piped.flac").write_bytes(values)
    waveform, _ = audio.read(tmp_path / "piped.flac")
    np.testing.assert_allclose(waveform, noise(), atol=1e-4)


def test_refuses_a_slice_outside_the_file(folder):
    refuse(folder / "a.flac", "44100 samples", start=44000, samples=200)
    refuse(folder / "a.flac", "44100 samples", start=-1)


def test_needs_neither_tensorflow_nor_keras():
    code = "import sys, kerasep.data.audio; print({'tensorflow', 'keras', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
