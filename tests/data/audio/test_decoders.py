"""Decoding beside FFmpeg's: containers, codecs, rates, channels, odd and joined files."""

import logging
import struct
import subprocess

import av
import imageio_ffmpeg
import numpy as np
import pytest
import scipy.signal
import soundfile

from kerasep.data import audio
from kerasep.data.audio import audio_info
from kerasep.errors import InputError

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SECONDS = 3
# The noise that AAC and AC-3 put where they code none is random: it depends on what was decoded
# before. A crop may differ from the whole by as much as the code from the original.
NOISY = ("aac", "ac3", "eac3", "nellymoser")
# Formats that say how much silence an encoder has put first.
GAPLESS = ("ogg", "oga", "opus", "webm", "mkv", "mp4", "m4a", "mov", "mp3", "flac", "w64", "tta")
LOSSLESS = ("pcm", "flac", "alac", "tta", "wavpack", "truehd")


def original(rate, channels):
    """Glides, each channel its own: they correlate at one lag only."""
    time = np.arange(SECONDS * rate) / rate
    glides = [
        np.sin(2 * np.pi * (200 + 60 * channel + (300 + 70 * channel) * time) * time)
        for channel in range(channels)
    ]
    envelope = 0.2 + 0.1 * np.sin(2 * np.pi * 3 * time)
    return (np.stack(glides, axis=1) * envelope[:, None]).astype("float32")


def ffmpeg(*arguments, **options):
    command = [FFMPEG, "-y", "-v", "error", "-nostdin", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, **options)


def decoded_by_ffmpeg(path, channels, track=0):
    done = ffmpeg("-i", path, "-map", f"0:a:{track}", "-f", "f32le", "-")
    return np.frombuffer(done.stdout, "<f4").reshape(-1, channels)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Function that writes an original once, and returns its path."""
    folder = tmp_path_factory.mktemp("originals")

    def path(rate=44100, channels=2):
        file = folder / f"{rate}x{channels}.wav"
        if not file.exists():
            soundfile.write(file, original(rate, channels), rate, "PCM_24")
        return file

    return path


@pytest.fixture
def log(caplog):
    """The library's log, with nothing yet said once."""
    audio_info.warn_once.cache_clear()
    caplog.set_level(logging.INFO, "kerasep")
    return caplog


MATRIX = [
    ("pcm_s16le", "wav w64 mkv mov avi caf nut", (44100, 8000), (1, 2, 6)),
    ("pcm_s24le", "wav mov", (96000,), (2,)),
    ("pcm_f32le", "mkv mov", (48000,), (2,)),
    ("pcm_s16be", "aiff au", (22050,), (1,)),
    ("pcm_u8", "wav mkv", (11025,), (1,)),
    ("pcm_alaw", "wav au", (8000,), (1,)),
    ("flac", "flac oga mkv mp4", (44100,), (2,)),
    ("alac", "m4a caf mov", (44100,), (1, 6)),
    ("tta", "tta mkv", (44100,), (2,)),
    ("wavpack", "wv mkv", (48000,), (2,)),
    ("truehd", "thd", (48000,), (2,)),
    ("libmp3lame", "mp3 mkv mov avi flv wav mpg", (44100,), (2,)),
    ("libmp3lame", "mp3", (48000, 22050, 16000), (1,)),
    ("mp2", "mp2 mkv ts mpg", (48000,), (2,)),
    ("aac", "m4a aac mkv mov flv ts avi 3gp", (44100,), (2,)),
    ("aac", "m4a", (16000, 96000), (1, 6)),
    ("libvorbis", "ogg mkv webm", (44100,), (2, 6)),
    ("libvorbis", "ogg", (16000,), (1,)),
    ("libopus", "opus webm mkv mp4 ts", (48000,), (2,)),
    ("libopus", "ogg", (16000,), (1, 6)),
    ("ac3", "ac3 mkv mp4 avi", (48000,), (2, 6)),
    ("eac3", "eac3 mkv", (44100,), (2,)),
    ("dca", "dts mkv", (48000,), (2,)),
    ("wmav2", "wma asf", (44100,), (2,)),
    ("adpcm_ms", "wav", (44100,), (2,)),
    ("adpcm_ima_wav", "wav avi", (22050,), (1,)),
    ("adpcm_swf", "flv", (44100,), (1,)),
    ("nellymoser", "flv", (22050,), (1,)),
]
CASES = [
    (codec, container, rate, channels)
    for codec, containers, rates, counts in MATRIX
    for container in containers.split()
    for rate in rates
    for channels in counts
    if (container, channels) != ("au", 6)
]


def test_there_are_many_cases():
    assert len(set(CASES)) >= 80


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_decoding_equals_ffmpegs(originals, tmp_path, case):
    codec, container, rate, channels = case
    path = tmp_path / f"a.{container}"
    source = originals(rate, channels)
    ffmpeg("-i", source, "-c:a", codec, "-strict", "-2", path)
    expected = decoded_by_ffmpeg(path, channels)
    whole, own_rate = audio.read(path)
    assert whole.shape == expected.shape
    assert audio.info(path) == (own_rate, len(whole), channels)
    np.testing.assert_allclose(whole, expected, atol=2e-6)

    truth = original(own_rate, channels)
    start, stop = own_rate // 2, 2 * own_rate
    if container in GAPLESS and codec not in ("dca", "wmav2"):
        around = whole[start - 2000 : stop + 2000, 0]
        found = scipy.signal.correlate(around, truth[start:stop, 0], "valid", "fft")
        assert abs(int(np.argmax(found)) - 2000) <= 1

    noise = np.abs(whole[start:stop] - truth[start:stop]).max()
    tolerance = max(noise, 1e-2) if codec in NOISY else 2e-4
    if codec.startswith(LOSSLESS):
        tolerance = 0
    rng = np.random.default_rng(0)
    starts = [0, len(whole) - 1, *rng.integers(0, len(whole), 5)]
    for first in map(int, starts):
        count = min(int(rng.integers(1, own_rate)), len(whole) - first)
        part, _ = audio.read(path, start=first, samples=count)
        np.testing.assert_allclose(part, whole[first : first + count], atol=tolerance)


def frames_of_xing(path, factor):
    """Change the number of frames that an MP3 file's header counts."""
    data = bytearray(path.read_bytes())
    at = max(data.find(b"Xing"), data.find(b"Info")) + 8
    count = struct.unpack(">I", data[at : at + 4])[0]
    data[at : at + 4] = struct.pack(">I", int(count * factor))
    path.write_bytes(data)


@pytest.mark.parametrize(
    "options", ["-q:a 5 -write_xing 0", "-b:a 128k -write_xing 0", "-b:a 128k", "-q:a 2"]
)
def test_mp3_files_are_read_whole(originals, tmp_path, options):
    path = tmp_path / "a.mp3"
    ffmpeg("-stream_loop", 4, "-i", originals(), "-c:a", "libmp3lame", *options.split(), path)
    whole, rate = audio.read(path)
    assert len(whole) / rate >= 5 * SECONDS
    np.testing.assert_array_equal(whole, decoded_by_ffmpeg(path, 2))
    part, _ = audio.read(path, start=12 * rate, samples=rate)
    np.testing.assert_allclose(part, whole[12 * rate : 13 * rate], atol=1e-5)


def test_mp3_from_a_pipe(originals, tmp_path):
    done = ffmpeg("-i", originals(), "-c:a", "libmp3lame", "-f", "mp3", "-")
    path = tmp_path / "pipe.mp3"
    path.write_bytes(done.stdout)
    np.testing.assert_array_equal(audio.read(path)[0], decoded_by_ffmpeg(path, 2))
    assert audio.info(path).seconds >= SECONDS


@pytest.mark.parametrize("factor", [0, 1 / 3, 3])
def test_mp3_whose_header_counts_wrongly(originals, tmp_path, factor):
    path = tmp_path / "a.mp3"
    ffmpeg("-i", originals(), "-c:a", "libmp3lame", path)
    frames_of_xing(path, factor)
    whole, rate = audio.read(path)
    np.testing.assert_array_equal(whole, decoded_by_ffmpeg(path, 2))
    assert len(whole) >= SECONDS * rate


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("libmp3lame", "mp3"),
        ("libvorbis", "ogg"),
        ("libopus", "opus"),
        ("flac", "flac"),
        ("aac", "aac"),
    ],
)
def test_files_joined_by_cat_are_read_to_the_end(originals, tmp_path, codec, suffix):
    rate = 48000
    ffmpeg("-i", originals(rate), "-c:a", codec, tmp_path / f"a.{suffix}")
    once = (tmp_path / f"a.{suffix}").read_bytes()
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(once + once)
    whole, _ = audio.read(path)
    np.testing.assert_allclose(whole, decoded_by_ffmpeg(path, 2), atol=2e-6)
    assert len(whole) >= 2 * SECONDS * rate
    first = 4 * rate
    part, _ = audio.read(path, start=first, samples=5000)
    np.testing.assert_allclose(part, whole[first : first + 5000], atol=0.02)


@pytest.mark.parametrize("samples", [10, 60_000, 200_000])
def test_vorbis_ends_where_its_last_page_says(tmp_path, samples):
    path = tmp_path / "a.ogg"
    audio.write(path, original(44100, 2).repeat(2, axis=0)[:samples], 44100)
    assert audio.info(path).samples == samples
    whole, _ = audio.read(path)
    if samples > 10:
        expected, _ = soundfile.read(path)
        np.testing.assert_allclose(whole, expected, atol=1e-5)


@pytest.mark.parametrize("codec", ["libvorbis", "libopus"])
def test_chained_ogg_of_different_channels_is_refused(originals, tmp_path, codec):
    for channels in (1, 2):
        ffmpeg("-i", originals(48000, channels), "-c:a", codec, tmp_path / f"{channels}.ogg")
    path = tmp_path / "chained.ogg"
    path.write_bytes(b"".join((tmp_path / f"{n}.ogg").read_bytes() for n in (1, 2)))
    with pytest.raises(InputError, match="different rates or channels"):
        audio.read(path)


@pytest.mark.parametrize(("codec", "suffix"), [("libvorbis", "ogg"), ("libopus", "opus")])
def test_channels_come_in_the_order_of_wav(tmp_path, codec, suffix):
    rate = 48000
    tones = [300, 500, 700, 60, 1100, 1300]  # L R C LFE Ls Rs
    time = np.arange(2 * rate) / rate
    source = np.stack([0.1 * np.sin(2 * np.pi * tone * time) for tone in tones], axis=1)
    soundfile.write(tmp_path / "six.wav", source, rate, "PCM_24", format="WAVEX")
    path = tmp_path / f"six.{suffix}"
    # libsndfile writes no channel mask for six channels.
    layout = ("-channel_layout", "5.1")
    ffmpeg(*layout, "-i", tmp_path / "six.wav", "-c:a", codec, "-b:a", "384k", path)
    whole, _ = audio.read(path)
    spectrum = np.abs(np.fft.rfft(whole[rate // 2 : rate // 2 + rate], axis=0))
    np.testing.assert_allclose(spectrum.argmax(axis=0), tones, atol=1)


@pytest.mark.parametrize("seconds", [0.029, 0.1, 1.0])
@pytest.mark.parametrize("codec", ["aac", "alac", "pcm_s16le", "flac"])
def test_a_hole_in_the_time_stamps_is_silence(originals, tmp_path, log, codec, seconds):
    rate, start = 44100, 60000
    hole = round(seconds * rate)
    whole = tmp_path / ("whole.mov" if codec.startswith("pcm") else "whole.mp4")
    ffmpeg("-i", originals(), "-c:a", codec, whole)
    path = tmp_path / "hole.mp4"
    options = {"movflags": "frag_every_frame+empty_moov"} if codec.startswith("pcm") else {}
    first = None
    with av.open(whole) as source, av.open(path, "w", options=options) as file:
        stream = source.streams.audio[0]
        copy = file.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                if packet.pts >= start:
                    first = packet.pts if first is None else first
                    packet.pts = packet.dts = packet.pts + hole
                packet.stream = copy
                file.mux(packet)
    whole, _ = audio.read(whole)
    read, _ = audio.read(path)
    tolerance = 0.01 if codec == "aac" else 0
    np.testing.assert_allclose(read[:first], whole[:first], atol=tolerance)
    assert not read[first : first + hole].any()
    after = slice(first + 2048, len(whole))
    np.testing.assert_allclose(
        read[first + hole + 2048 :][: len(whole[after])], whole[after], atol=tolerance
    )
    part, _ = audio.read(path, start=first + hole - 100, samples=9000)
    np.testing.assert_allclose(part, read[first + hole - 100 :][:9000], atol=tolerance)
    assert f"lacks {seconds:.2f} s" in log.text


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("riff", [True, False])
def test_a_wav_that_says_it_holds_nothing_is_read_to_its_end(tmp_path, log, subtype, riff):
    path = tmp_path / "crashed.wav"
    soundfile.write(path, original(44100, 2), 44100, subtype)
    expected, _ = soundfile.read(path, dtype="float32")
    data = bytearray(path.read_bytes())
    at = data.find(b"data") + 4
    data[at : at + 4] = bytes(4)
    if riff:
        data[4:8] = bytes(4)
    path.write_bytes(data)
    np.testing.assert_array_equal(audio.read(path)[0][: len(expected)], expected)
    part, _ = audio.read(path, start=70000, samples=500)
    np.testing.assert_array_equal(part, expected[70000:70500])
    assert "read to the end" in log.text


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64", "AU", "CAF", "AIFF"])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_cut_files_of_plain_samples_are_refused(tmp_path, kind, subtype):
    path = tmp_path / "cut"
    soundfile.write(path, original(44100, 2), 44100, subtype, format=kind)
    assert audio.read(path)[0].shape == (SECONDS * 44100, 2)
    data = path.read_bytes()
    for length in (len(data) - 2000, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match="truncated"):
            audio.info(path)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("count", [1000, 100_000])
def test_a_flac_file_whose_header_counts_too_few_is_read_whole(tmp_path, subtype, count):
    path = tmp_path / "a.flac"
    soundfile.write(path, original(44100, 2), 44100, subtype)
    expected, _ = soundfile.read(path, dtype="float32")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = struct.pack(">I", count)
    path.write_bytes(data)
    np.testing.assert_array_equal(audio.read(path)[0], expected)


@pytest.mark.parametrize("suffix", ["ogg", "opus", "webm", "mka"])
def test_what_a_damaged_or_cut_file_lacks_is_said(originals, tmp_path, log, suffix):
    path = tmp_path / f"a.{suffix}"
    codec = "libvorbis" if suffix == "ogg" else "libopus"
    ffmpeg("-stream_loop", 2, "-i", originals(48000), "-c:a", codec, path)
    data = path.read_bytes()
    assert not log.text
    audio.read(path)
    assert not log.text
    path.write_bytes(data[: len(data) // 2])
    seconds = audio.info(path).seconds
    assert seconds < 6
    assert "missing" in log.text or "cut short" in log.text
    log.clear()
    audio_info.warn_once.cache_clear()
    middle = len(data) // 2
    damaged = bytearray(data)
    step = 200 if suffix in ("ogg", "opus") else 6000
    damaged[middle : middle + step] = bytes(step)
    path.write_bytes(damaged)
    assert audio.info(path).seconds > 8.5  # in sync: what is lost is silence
    assert "lacks" in log.text


@pytest.mark.parametrize("rate", [1, 2, 999, 768_001, 2**31 - 1])
def test_rates_that_no_recording_has_are_refused(tmp_path, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, original(8000, 1), 8000, "PCM_16")
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"says {rate} Hz, expected 1000 to 768000"):
        audio.info(path)


@pytest.mark.parametrize("damage", ["whole", "cut", "flipped"])
def test_nothing_is_printed_on_the_terminal(originals, tmp_path, capfd, damage):
    for codec, suffix in (("libmp3lame", "mp3"), ("libmp3lame", "wav"), ("aac", "m4a")):
        path = tmp_path / f"a.{suffix}"
        ffmpeg("-i", originals(), "-c:a", codec, path)
        data = bytearray(path.read_bytes())
        if damage == "cut":
            del data[len(data) // 2 :]
        if damage == "flipped":
            data[len(data) // 2 : len(data) // 2 + 999] = bytes(range(256)) * 3 + bytes(231)
        path.write_bytes(data)
        try:
            audio.read(path)
        except InputError:
            assert damage != "whole"
    assert capfd.readouterr() == ("", "")


def test_a_file_with_video_gives_its_sound(originals, tmp_path):
    path = tmp_path / "clip.webm"
    video = ("-f", "lavfi", "-i", f"testsrc=d={SECONDS}:s=64x64")
    ffmpeg(*video, "-i", originals(48000), "-c:v", "libvpx", "-c:a", "libopus", path)
    np.testing.assert_array_equal(audio.read(path)[0], decoded_by_ffmpeg(path, 2))


def test_a_name_says_nothing_of_the_format(originals, tmp_path):
    path = tmp_path / "really_mp3.wav"
    ffmpeg("-i", originals(), "-c:a", "libmp3lame", "-f", "mp3", path)
    np.testing.assert_array_equal(audio.read(path)[0], decoded_by_ffmpeg(path, 2))
