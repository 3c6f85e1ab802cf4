"""Shifted crops are cut out of the shifted recording, wherever they begin."""

import numpy as np
import pytest
import soxr

from kerasep.data import audio
from kerasep.data.datasets.layouts.contents import Location
from kerasep.data.datasets.stems import open_stems
from kerasep.data.sampling.open_files import OpenFiles
from kerasep.data.sampling.pitch import rate_of, read_shifted


@pytest.mark.parametrize("semitones", [-24, -6, -1, 1, 5, 12, 24])
def test_rates_are_semitones(semitones):
    heard = 12 * np.log2(16000 / float(rate_of(16000, semitones)))
    assert heard == pytest.approx(semitones, abs=0.03)


@pytest.mark.parametrize(
    ("own", "decibels"),
    [(8000, -60), (44100, -60), (7919, -45)],  # the last is off by thousandths of a sample
)
@pytest.mark.parametrize("semitones", [-6, 1, 5])
def test_crops_of_the_shifted_recording(tmp_path, rng, own, decibels, semitones):
    waveform = rng.uniform(-0.9, 0.9, (3 * own, 2)).astype("float32")
    audio.write(tmp_path / "song.wav", waveform, own)
    (stem,) = open_stems(tmp_path, [Location(tmp_path / "song.wav")])
    rate = rate_of(8000, semitones)
    whole = soxr.resample(audio.read(tmp_path / "song.wav")[0], own, float(rate))
    files = OpenFiles(1)
    for start in (0.0, 0.7431, 1.9, 2.6):
        crop = np.full((4000, 2), np.nan, "float32")
        read_shifted(files, stem, rate, start, crop)
        expected = np.zeros_like(crop)
        rest = whole[round(start * float(rate)) :][:4000]
        expected[: len(rest)] = rest
        inside = slice(None) if len(rest) == 4000 else slice(len(rest) - 300)  # no ringing
        error = np.sum((crop - expected)[inside] ** 2) / np.sum(expected[inside] ** 2)
        assert 10 * np.log10(error + 1e-12) < decibels, start
        if len(rest) < 3500:
            assert np.abs(crop[len(rest) + 300 :]).max() < 1e-5
