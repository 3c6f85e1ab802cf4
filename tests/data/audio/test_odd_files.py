"""Damaged, truncated, joined and odd files: read as FFmpeg reads them, or an error."""

import struct

import av
import numpy as np
import pytest
import soundfile

from kerasep.data import audio
from kerasep.data.audio import audio_info
from kerasep.errors import InputError


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
def test_mp3_files_are_read_whole(originals, ffmpeg, decoded_by_ffmpeg, tmp_path, options):
    path = tmp_path / "a.mp3"
    ffmpeg("-stream_loop", 4, "-i", originals(), "-c:a", "libmp3lame", *options.split(), path)
    whole, rate = audio.read(path)
    assert len(whole) / rate >= 15
    np.testing.assert_array_equal(whole, decoded_by_ffmpeg(path, 2))
    part, _ = audio.read(path, start=12 * rate, samples=rate)
    np.testing.assert_allclose(part, whole[12 * rate : 13 * rate], atol=1e-5)


def test_mp3_from_a_pipe(originals, ffmpeg, decoded_by_ffmpeg, tmp_path):
    done = ffmpeg("-i", originals(), "-c:a", "libmp3lame", "-f", "mp3", "-")
    path = tmp_path / "pipe.mp3"
    path.write_bytes(done.stdout)
    np.testing.assert_array_equal(audio.read(path)[0], decoded_by_ffmpeg(path, 2))
    assert audio.info(path).seconds >= 3


@pytest.mark.parametrize("factor", [0, 1 / 3, 3])
def test_mp3_whose_header_counts_wrongly(encoded, decoded_by_ffmpeg, tmp_path, factor):
    path = tmp_path / "a.mp3"
    path.write_bytes(encoded("libmp3lame", "mp3")["mp3"].read_bytes())
    frames_of_xing(path, factor)
    whole, rate = audio.read(path)
    np.testing.assert_array_equal(whole, decoded_by_ffmpeg(path, 2))
    assert len(whole) >= 3 * rate


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
def test_files_joined_by_cat_are_read_to_the_end(
    encoded, decoded_by_ffmpeg, tmp_path, codec, suffix
):
    rate = 48000
    once = encoded(codec, suffix, rate)[suffix].read_bytes()
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(once + once)
    whole, _ = audio.read(path)
    np.testing.assert_allclose(whole, decoded_by_ffmpeg(path, 2), atol=2e-6)
    assert len(whole) >= 6 * rate
    first = 4 * rate
    part, _ = audio.read(path, start=first, samples=5000)
    np.testing.assert_allclose(part, whole[first : first + 5000], atol=0.02)


@pytest.mark.parametrize("seconds", [0.029, 0.1, 1.0])
@pytest.mark.parametrize("codec", ["aac", "alac", "pcm_s16le", "flac"])
def test_a_hole_in_the_time_stamps_is_silence(encoded, tmp_path, log, codec, seconds):
    rate, start = 44100, 60000
    hole = round(seconds * rate)
    container = "mov" if codec.startswith("pcm") else "mp4"
    whole = encoded(codec, container)[container]
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
def test_a_wav_that_says_it_holds_nothing_is_read_to_its_end(
    tmp_path, log, original, subtype, riff
):
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
def test_cut_files_of_plain_samples_are_refused(tmp_path, original, kind, subtype):
    path = tmp_path / "cut"
    soundfile.write(path, original(44100, 2), 44100, subtype, format=kind)
    assert audio.read(path)[0].shape == (3 * 44100, 2)
    data = path.read_bytes()
    for length in (len(data) - 2000, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match="truncated"):
            audio.info(path)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("count", [1000, 100_000])
def test_a_flac_file_whose_header_counts_too_few_is_read_whole(tmp_path, original, subtype, count):
    path = tmp_path / "a.flac"
    soundfile.write(path, original(44100, 2), 44100, subtype)
    expected, _ = soundfile.read(path, dtype="float32")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = struct.pack(">I", count)
    path.write_bytes(data)
    np.testing.assert_array_equal(audio.read(path)[0], expected)


@pytest.mark.parametrize("suffix", ["ogg", "opus", "webm", "mka"])
def test_what_a_damaged_or_cut_file_lacks_is_said(originals, ffmpeg, tmp_path, log, suffix):
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
def test_rates_that_no_recording_has_are_refused(tmp_path, original, rate):
    path = tmp_path / "a.wav"
    soundfile.write(path, original(8000, 1), 8000, "PCM_16")
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"says {rate} Hz, expected 1000 to 768000"):
        audio.info(path)


@pytest.mark.parametrize("damage", ["whole", "cut", "flipped"])
def test_nothing_is_printed_on_the_terminal(encoded, tmp_path, capfd, damage):
    for codec, suffix in (("libmp3lame", "mp3"), ("libmp3lame", "wav"), ("aac", "m4a")):
        path = tmp_path / f"a.{suffix}"
        data = bytearray(encoded(codec, suffix)[suffix].read_bytes())
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


@pytest.mark.parametrize("channels", [8, 9, 24])
def test_more_channels_than_ffmpeg_has_planes(tmp_path, channels):
    path = tmp_path / "wide.ogg"
    times = np.arange(30_000)[:, None] / 44100
    tones = 0.3 * np.sin(2 * np.pi * (200 + 90 * np.arange(channels)) * times)
    with soundfile.SoundFile(path, "w", 44100, channels, "VORBIS", format="OGG") as file:
        for first in range(0, len(tones), 4096):
            file.write(tones[first : first + 4096])
    whole, rate = audio.read(path)
    assert (whole.shape, rate) == (tones.shape, 44100)
    if channels == 8:  # Vorbis has an order of its own for those with names
        tones = tones[:, [0, 2, 1, 7, 5, 6, 3, 4]]
    error = ((whole - tones) ** 2).sum(0)
    assert np.all(error < 10**-2.5 * (tones**2).sum(0))
    part, _ = audio.read(path, start=20_000, samples=500)
    np.testing.assert_array_equal(part, whole[20_000:20_500])
