"""Recordings as people have them; skipped where they are not at hand."""

import csv
import os
import pathlib

import numpy as np
import pytest

from kerasep import data, evaluation, separation, training, zoo

TRACK = "annar_1_01"
RECORDINGS = pathlib.Path(os.environ.get("KERASEP_AUDIO", "no-recordings"))


def folder(name):
    if not (RECORDINGS / name).is_dir():
        pytest.skip(f"no recordings in {RECORDINGS / name}: set KERASEP_AUDIO to their folder")
    return RECORDINGS / name


@pytest.mark.slow
def test_a_musdb_file_is_read_trained_on_and_separated(tmp_path):
    tracks = data.find_tracks(folder("musdb_sample/train"))
    assert sorted(tracks[0].stems) == ["bass", "drums", "other", "vocals"]
    mixture, _ = tracks[0].read(("vocals",), 44100, channels=2)
    own_mixture, _ = data.read(tracks[0].stems["vocals"].path)  # stream 0 of the file
    # Both went through AAC, the sum of the stems and the mixture each by itself.
    error = own_mixture - mixture[: len(own_mixture)]
    assert np.square(own_mixture).sum() > 100 * np.square(error).sum()

    model = zoo.load("open_unmix_like/umx", sources=["vocals", "accompaniment"], hidden=16)
    recipe = {"epochs": 2, "data": {"batch_size": 2, "crop_seconds": 2.0, "crops_per_track": 4}}
    history = training.train(model, tracks, tmp_path / "run", recipe=recipe)
    assert len(history) == 2
    assert history[1]["loss"] < history[0]["loss"]

    paths = separation.separate_file(
        zoo.load(tmp_path / "run"), tracks[0].stems["vocals"].path, tmp_path / "stems"
    )
    assert sorted(paths) == ["accompaniment", "vocals"]
    assert data.info(paths["vocals"]) == data.info(tracks[0].stems["vocals"].path)


def test_karaoke_clips_give_batches():
    model = zoo.load("open_unmix_like/karaoke", hidden=16)
    dataset = data.spectrograms(
        folder("mir1k/valid"), model, batch_size=4, crop_seconds=3.0, training=False
    )
    magnitude, reference = next(iter(dataset))
    assert magnitude.shape == (4, 47, 2049, 1)
    assert reference.shape == (4, 47, 2049, 1, 3, 2)
    mixture, vocals, accompaniment = np.moveaxis(reference.numpy(), 4, 0)
    np.testing.assert_allclose(vocals + accompaniment, mixture, atol=1e-3)
    assert np.all(np.std(magnitude, axis=(1, 2, 3)) > 0)


@pytest.mark.parametrize("name", ["unet_like", "open_unmix_like"])
def test_a_card_s_figures_are_those_of_its_weights(name):
    model = zoo.load(f"{name}/karaoke", weights=True)
    tracks = [track for track in data.find_tracks(folder("mir1k/valid")) if track.name == TRACK]
    rows = evaluation.evaluate(model, tracks)
    file = pathlib.Path(__file__).parents[1] / "zoo" / name / "results.csv"
    with open(file, newline="") as table:
        printed = {row["source"]: row for row in csv.DictReader(table) if row["track"] == TRACK}
    assert len(rows) == len(printed) == 2
    for row in rows:
        for key in ("si_sdr", "si_sdr_improvement", "tpsa_si_sdr"):
            assert row[key] == pytest.approx(float(printed[row["source"]][key]), abs=0.01)


def test_a_card_s_figures_on_synthetic_songs(tmp_path):
    """The scored songs are made by their seed, so this one needs no recordings."""
    data.write_songs(tmp_path / "songs", 1, 2, 16.0, 44100, 2)
    model = zoo.load("open_unmix_like/phone", weights=True)
    rows = evaluation.evaluate(model, tmp_path / "songs", measures=["si_sdr"], oracles=False)
    file = pathlib.Path(__file__).parents[1] / "zoo" / "open_unmix_like" / "results_phone.csv"
    with open(file, newline="") as table:
        printed = {
            row["source"]: row for row in csv.DictReader(table) if row["track"] == "song_0000"
        }
    assert len(rows) == len(printed) == 4
    for row in rows:
        improvement = float(printed[row["source"]]["si_sdr_improvement"])
        assert row["si_sdr_improvement"] == pytest.approx(improvement, abs=0.01)
