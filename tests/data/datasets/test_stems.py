"""Stems in valid and invalid files of every kind."""

import struct
import threading
import time

import numpy as np
import pytest
import soundfile

from kerasep.data import audio, find_tracks
from kerasep.data.datasets import stems
from kerasep.data.datasets.layouts.contents import Location
from kerasep.data.datasets.stems import Stem, open_stems, read_stem
from kerasep.errors import InputError

RATE = 8000


def noise(channels=1, samples=RATE):
    values = np.random.default_rng(0).uniform(-0.5, 0.5, (samples, channels))
    return (np.round(values * 128) / 128).astype("float32")  # exact in 8 bits


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


FORMAT = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))


def odd_chunks(path, samples):
    """Write chunks of odd length, an unknown one, and a list after the samples."""
    data = chunk(b"data", (samples * 32768).astype("<i2").tobytes())
    odd = chunk(b"JUNK", b"x" * 7), chunk(b"LIST", b"INFOINAM\3\0\0\0ab\0")
    path.write_bytes(wav(odd[0], FORMAT, chunk(b"zzzz", b"abc"), data, odd[1]))


def soundfile_writer(subtype, kind="WAV"):
    return lambda path, samples: soundfile.write(path, samples, RATE, subtype, format=kind)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(odd_chunks, id="odd chunks"),
        *(
            pytest.param(soundfile_writer(*kind), id=" ".join(kind))
            for kind in (
                *(("PCM_U8",), ("PCM_16",), ("PCM_24",), ("PCM_32",), ("FLOAT",), ("DOUBLE",)),
                *(("PCM_16", "WAVEX"), ("PCM_24", "WAVEX"), ("FLOAT", "WAVEX")),
                *(("PCM_16", "RF64"), ("PCM_24", "RF64"), ("PCM_16", "W64"), ("PCM_16", "AIFF")),
            )
        ),
    ],
)
def test_every_kind_of_wav(tmp_path, write):
    (tmp_path / "a").mkdir()
    write(tmp_path / "a" / "vocals.wav", noise())
    (track,) = find_tracks(tmp_path)
    assert track.stems["vocals"].info == (RATE, RATE, 1)
    _, stems = track.read(("vocals",), RATE, 1, start=0.25, seconds=0.5)
    np.testing.assert_array_equal(stems[:, :, 0], noise()[2000:6000])


def sparse_wav(path, size):
    """Write a sparse file of `size` bytes of 16-bit samples, as RF64 from 4 GiB on."""
    if size < 1 << 32:
        start = b"RIFF" + struct.pack("<I", (size + 36) & 0xFFFFFFFF) + b"WAVE" + FORMAT
        start += b"data" + struct.pack("<I", size)
    else:
        sizes = struct.pack("<QQQI", size + 72, size, size // 2, 0)
        unknown = struct.pack("<I", 0xFFFFFFFF)
        start = b"RF64" + unknown + b"WAVE" + chunk(b"ds64", sizes) + FORMAT + b"data" + unknown
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + size)
        file.seek(len(start) + size - 2 * RATE)
        file.write((noise() * 32768).astype("<i2").tobytes())


@pytest.mark.parametrize("size", [(1 << 31) - 2, (1 << 31) + 2000, 3 << 30, 5 << 30])
def test_files_of_gigabytes_are_read_at_their_end(tmp_path, size):
    (tmp_path / "a").mkdir()
    sparse_wav(tmp_path / "a" / "vocals.wav", size)
    (track,) = find_tracks(tmp_path)
    assert track.stems["vocals"].info.samples == size // 2
    _, stems = track.read(("vocals",), RATE, 1, start=track.duration - 0.5)
    np.testing.assert_array_equal(stems[:, :, 0], noise()[4000:])


def bad_files(folder):
    """Write a file of each invalid kind; returns a dict from name to error message."""
    folder.mkdir(exist_ok=True)
    whole = folder / "whole.wav"
    soundfile.write(whole, noise(), RATE)
    content = whole.read_bytes()
    whole.unlink()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("this is no audio, but long enough to be looked at")
    (folder / "header.wav").write_bytes(content[:44])
    (folder / "cut.wav").write_bytes(content[:5000])
    (folder / "cut header.wav").write_bytes(content[:20])
    soundfile.write(folder / "silent.wav", np.zeros((0, 1)), RATE)
    soundfile.write(folder / "cut.flac", noise(samples=40 * RATE), RATE)
    with (folder / "cut.flac").open("r+b") as file:
        file.truncate(30)
    return {
        "empty.wav": "is empty",
        "text.wav": "is not audio",
        "header.wav": "is truncated",
        "cut.wav": "is truncated",
        "cut header.wav": "is not audio",
        "silent.wav": "holds no samples",
        "cut.flac": "is not audio",
    }


def test_what_is_said_of_bad_files(tmp_path):
    expected = bad_files(tmp_path)
    places = [Location(tmp_path / name) for name in expected]
    errors = open_stems(tmp_path, [*places, Location(tmp_path / "gone.wav")])
    for error, said in zip(errors, [*expected.values(), "is missing"], strict=True):
        assert isinstance(error, InputError)
        assert said in str(error)


@pytest.mark.parametrize(("seconds", "threads"), [(0, 1), (0.002, 8)])
def test_threads_read_only_headers_that_are_far_away(tmp_path, monkeypatch, seconds, threads):
    readers = set()

    def header(path, _stream):
        readers.add(threading.get_ident())
        time.sleep(seconds)
        return int(path.stem)

    monkeypatch.setattr(stems.audio, "info", header)
    locations = [Location(tmp_path / f"{number}.wav") for number in range(80)]
    assert list(stems._read_headers(locations)) == list(range(80))
    assert 1 <= len(readers) <= threads + 1
    assert (len(readers) > 1) == (threads > 1)
    assert list(stems._read_headers(locations[:3])) == [0, 1, 2]
    assert not list(stems._read_headers([]))


def test_a_data_set_goes_on_without_them(tmp_path, caplog):
    expected = bad_files(tmp_path / "bad")
    for name in expected:
        track = tmp_path / "songs" / f"bad {name}"
        track.mkdir(parents=True)
        soundfile.write(track / "vocals.wav", noise(), RATE)
        (tmp_path / "bad" / name).rename(track / f"bass{name[-5:]}".replace("t.", "."))
    for index in range(2):
        good = tmp_path / "songs" / f"good {index}"
        good.mkdir()
        soundfile.write(good / "vocals.wav", noise(1 + index), RATE * (1 + index))
        soundfile.write(good / "bass.wav", noise(), RATE)
    with caplog.at_level("INFO"):
        tracks = find_tracks(tmp_path / "songs", ("vocals", "bass"))
    assert [track.name for track in tracks] == ["good 0", "good 1"]
    assert len(caplog.messages) == len(expected) + 1
    assert caplog.messages[-1].endswith(f"2 tracks ({len(expected)} skipped)")
    for track in tracks:
        assert track.read(("vocals", "bass"), RATE, 1, seconds=0.5)[1].shape == (4000, 1, 2)


def test_a_file_without_permission(tmp_path, monkeypatch):
    audio.write(tmp_path / "a.wav", noise(), RATE)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"a.wav cannot be read: permission denied"):
        audio.info(tmp_path / "a.wav")


def test_one_channel_of_a_file(tmp_path):
    stereo = noise(2)
    audio.write(tmp_path / "a.wav", stereo, RATE)
    places = [Location(tmp_path / "a.wav", 0, index) for index in range(3)]
    left, right, none = open_stems(tmp_path, places)
    assert isinstance(right, Stem)
    assert right.channels == 1
    assert "there is no channel 2" in str(none)
    for stem, column in ((left, 0), (right, 1)):
        read = read_stem(stem, RATE, 1, 0.25, 2000)
        np.testing.assert_array_equal(read[:, 0], stereo[2000:4000, column])
        # A mono stem may be one of many channels in its file, and fits every model.
        assert read_stem(stem, RATE, 6, 0.25, 2000).shape == (2000, 1)
