"""Short recordings in memory: the same samples, each file opened once, and no more than fits."""

import os

import numpy as np
import pytest
import soundfile

from kerasep.data import audio
from kerasep.data.audio.decoders import open_decoder
from kerasep.data.datasets.layouts.contents import Location
from kerasep.data.datasets.stems import open_stems
from kerasep.data.sampling import held_files, open_files
from kerasep.data.sampling.open_files import OpenFiles, Unreadable


@pytest.fixture
def stems(tmp_path, rng):
    """Three recordings: 16 bit, float, and one at another rate."""
    for name, rate, subtype in (
        ("a", 8000, "PCM_16"),
        ("b", 8000, "FLOAT"),
        ("c", 16000, "PCM_16"),
    ):
        waveform = rng.uniform(-1, 1, (rate, 1)).astype("float32")
        soundfile.write(tmp_path / f"{name}.wav", waveform, rate, subtype)
    return open_stems(tmp_path, [Location(tmp_path / f"{name}.wav") for name in "abc"])


def crop(files, stem, start=0.25, samples=2000):
    out = np.empty((samples, 1), "float32")
    files.read(stem, 8000, 1, start, out)
    return out


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that are opened, in order."""
    names = []

    def count(path, stream=0):
        names.append(os.path.basename(path))
        return open_decoder(path, stream)

    monkeypatch.setattr(open_files, "open_decoder", count)
    return names


def test_samples_are_those_of_the_file(stems):
    files = OpenFiles(1)
    for stem in stems:
        expected = audio.read(stem.path, 8000)[0][2000:4000]
        for _ in range(2):  # from the file, then from memory
            np.testing.assert_allclose(crop(files, stem), expected, atol=1e-6)
    assert len(files.held.held) == 3
    past_the_end = crop(files, stems[0], start=0.9)
    assert past_the_end[:800].any()
    assert not past_the_end[800:].any()


def test_each_is_opened_once_by_all_threads(stems, opened):
    files = OpenFiles(4)
    for _ in range(3):
        for stem in stems:
            crop(files, stem)
        files.local.files.clear()  # as another thread begins
    assert opened == ["a.wav", "b.wav", "c.wav"]


def test_long_files_stay_on_the_disk_and_so_does_what_has_no_room(stems, opened, monkeypatch):
    monkeypatch.setattr(held_files, "_BYTES", 20_000)  # one of 8000 samples of 16 bits
    monkeypatch.setattr(held_files, "_SECONDS", 1.0)
    files = OpenFiles(1)
    for stem in stems:
        crop(files, stem)
    assert [os.path.basename(path) for path, _ in files.held.held] == ["a.wav"]
    # What was refused is not decoded whole again each time it is opened.
    monkeypatch.setattr(held_files, "Recording", None)
    files.local.files.clear()
    crop(files, stems[1])
    monkeypatch.undo()
    monkeypatch.setattr(held_files, "_SECONDS", 0.5)
    files = OpenFiles(1)
    crop(files, stems[0])
    assert not files.held.held


def test_a_file_that_changed_is_skipped(stems):
    files = OpenFiles(1)
    crop(files, stems[0])
    soundfile.write(stems[0].path, np.zeros((4000, 1)), 8000)
    with pytest.raises(Unreadable, match="has changed: it had 8000 samples"):
        crop(files, stems[0])
    assert not files.held.held
    assert files.held.bytes == 0


def test_a_file_that_was_written_again_is_read_again(stems):
    files = OpenFiles(1)
    crop(files, stems[0])
    soundfile.write(stems[0].path, np.full((8000, 1), 0.5), 8000, "PCM_16")
    np.testing.assert_allclose(crop(files, stems[0]), 0.5, atol=1e-4)


def test_a_damaged_part_is_no_harm_to_the_rest(tmp_path):
    """What cannot be held whole is read from the file, as far as it is good."""
    waveform = np.zeros((8000, 1), "float32")
    waveform[7000] = np.nan
    soundfile.write(tmp_path / "a.wav", waveform, 8000, "FLOAT")
    (stem,) = open_stems(tmp_path, [Location(tmp_path / "a.wav")])
    files = OpenFiles(1)
    assert not crop(files, stem).any()
    assert not files.held.held
