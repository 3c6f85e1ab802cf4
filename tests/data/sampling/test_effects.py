"""Augmentation in a pipeline: what it changes, and what it leaves as it is."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import spectrograms, waveforms, write_songs

RATE = 8000
STFT = {"n_fft": 256, "hop": 64, "window": "hann"}
MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=RATE, channels=1, stft=STFT)
OPTIONS = {"batch_size": 8, "crop_seconds": 0.5, "crops_per_track": 8, "remix": 0.0, "gain": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "songs"
    write_songs(folder, 1, seconds=2.0, sample_rate=RATE)
    for unwanted in ("drums", "other"):
        (folder / "song_0000" / f"{unwanted}.flac").unlink(missing_ok=True)
    for path in folder.glob("*/*"):
        if path.stem in ("drums", "other"):
            path.unlink()
    return folder


def batch(folder, augment=None, make=waveforms, **options):
    ((x, y),) = make(folder, MODEL, augment=augment, **OPTIONS | options)
    return x.numpy(), y.numpy()


@pytest.mark.parametrize(
    "augment",
    [
        {"reverberate": {}},
        {"change_gain": {"decibels": [3, 6]}},
        {"change_pitch": {"semitones": [2, 3]}},
        {"change_tempo": {"factors": [1.1, 1.2]}},
        {"limit_band": {"low": None, "high": [1000, 2000]}, "flip_polarity": {"share": 0.5}},
        {"add_noise": {"on": "sources"}},
        {"code": {"on": "sources", "formats": ["ogg"]}},
    ],
    ids=lambda augment: next(iter(augment)),
)
def test_changed_sources_add_up_to_the_mixture(folder, augment):
    mixture, sources = batch(folder, augment)
    _, plain = batch(folder)
    np.testing.assert_allclose(mixture, sources.sum(axis=-1), atol=1e-5)
    assert (sources != plain).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(mixture, batch(folder, augment, threads=1)[0])


@pytest.mark.parametrize("name", ["add_noise", "code"])
def test_damage_to_the_mixture_leaves_the_sources(folder, name):
    mixture, sources = batch(folder, {name: {}})
    clean, plain = batch(folder)
    np.testing.assert_array_equal(sources, plain)
    assert (mixture != clean).any(axis=(1, 2)).all()


def test_share(folder):
    mixture, _ = batch(folder, {"add_noise": {"share": 0.5}}, batch_size=32, crops_per_track=32)
    clean, _ = batch(folder, batch_size=32, crops_per_track=32)
    changed = (mixture != clean).any(axis=(1, 2))
    assert 6 < changed.sum() < 26


def test_a_recording_keeps_one_tempo_and_silence_does_not_come(folder):
    """Stems of one recording are changed alike: here both are the same."""
    same = SimpleNamespace(**vars(MODEL))
    for path in folder.glob("*/bass.*"):
        path.write_bytes(next(folder.glob("*/vocals.*")).read_bytes())
    augment = {"change_tempo": {"factors": [1.0, 1.5]}, "change_pitch": {}}
    ((_, sources),) = waveforms(folder, same, augment=augment, **OPTIONS)
    np.testing.assert_array_equal(sources[..., 0], sources[..., 1])
    assert np.abs(sources[:, -400:]).max(axis=(1, 2, 3)).min() > 1e-3


def test_masked_spectrograms_ask_for_nothing_where_nothing_is_given(folder):
    augment = {"mask_spectrum": {"times": 1, "frames": 20, "bands": 1, "bins": 30}}
    magnitude, reference = batch(folder, augment, spectrograms)
    plain, whole = batch(folder, None, spectrograms)
    kept = np.isclose(magnitude, plain, atol=1e-6)
    assert (kept | (magnitude == 0)).all()
    holes = (magnitude == 0).all(axis=-1)
    assert len({hole.tobytes() for hole in holes}) > 4
    assert not reference[holes].any()
    np.testing.assert_allclose(reference[~holes], whole[~holes], atol=1e-6)
    again, _ = batch(folder, augment, spectrograms)
    np.testing.assert_array_equal(again, magnitude)


def test_validation_is_not_augmented(folder):
    options = {"training": False, "batch_size": 4, "crop_seconds": 0.5}
    ((plain, _),) = waveforms(folder, MODEL, **options)
    ((mixture, _),) = waveforms(folder, MODEL, augment={"add_noise": {}}, **options)
    np.testing.assert_array_equal(mixture, plain)
