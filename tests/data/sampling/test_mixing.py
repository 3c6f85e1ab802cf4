"""Levels, numbers of sources, and crops where something sounds."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import audio, waveforms

RATE = 8000
MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=RATE, channels=1)


@pytest.fixture
def folder(tmp_path):
    """Two tracks that sound for their last second of eight alone, softly and loudly; and drums."""
    for number, level in enumerate((0.05, 0.5)):
        (tmp_path / f"{number}").mkdir()
        for stem in ("vocals", "bass", "drums"):
            waveform = np.full((8 * RATE, 1), level, "float32")
            waveform[: 7 * RATE] = 0 if stem != "drums" else level
            audio.write(tmp_path / f"{number}" / f"{stem}.wav", waveform, RATE)
    return tmp_path


def sources_of(folder, **options):
    options = {"batch_size": 32, "crop_seconds": 0.5, "crops_per_track": 32, "gain": None} | options
    pairs = [(m.numpy(), s.numpy()) for m, s in waveforms(folder, MODEL, **options)]
    return tuple(np.concatenate(values)[:, :, 0] for values in zip(*pairs, strict=True))


@pytest.mark.parametrize("remix", [0.0, 1.0])
def test_crops_where_the_sources_sound(folder, remix):
    _, anywhere = sources_of(folder, remix=remix)
    _, chosen = sources_of(folder, remix=remix, min_level=-50.0)
    silent = [np.mean(~sources.any(axis=1)) for sources in (anywhere, chosen)]
    assert silent[0] > 0.7
    assert silent[1] < 0.45  # eight looks, each with a chance of a sixth


def test_snr_is_that_of_the_first_source_over_each_other(folder):
    options = {"min_level": -50.0, "remix": 1.0, "snr": (3, 9)}
    mixture, sources = sources_of(folder, gain=(0.5, 2.0), **options)
    rest = mixture - sources.sum(axis=-1)
    powers = [np.mean(np.square(x), axis=1) for x in (sources[..., 0], sources[..., 1], rest)]
    sounding = np.logical_and(powers[0] > 1e-6, powers[1] > 1e-6)
    for power in powers[1:]:
        ratio = 10 * np.log10(powers[0][sounding] / power[sounding])
        assert ratio.min() > 2.99
        assert ratio.max() < 9.01
        assert np.ptp(ratio) > 3


def test_sources_left_out_are_silent_in_the_mixture_too(folder):
    options = {"min_level": -50.0, "remix": 0.0}
    mixture, sources = sources_of(folder, min_sources=0, **options)
    whole, everything = sources_of(folder, **options)
    counts = sources.any(axis=1).sum(axis=1)
    assert set(counts) == {0, 1, 2}
    # The drums, which are no source, play on.
    np.testing.assert_allclose(mixture - sources.sum(-1), whole - everything.sum(-1), atol=1e-6)
    heard = sources.any(axis=1)
    np.testing.assert_array_equal(
        sources.transpose(0, 2, 1)[heard], everything.transpose(0, 2, 1)[heard]
    )
