"""A data set of a few short clips: batches become as small as its epochs."""

import shutil

import numpy as np
import pytest
from tiny_runs import RECIPE, losses, tiny

import kerasep
from kerasep import data


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Six clips of half a second."""
    folder = tmp_path_factory.mktemp("clips") / "clips"
    data.write_songs(folder, 6, seconds=0.5, sample_rate=8000)
    return folder


def recipe(batch_size):
    settings = {"batch_size": batch_size, "crop_seconds": 0.5, "crops_per_track": 1}
    return {"epochs": 2, "data": settings}


@pytest.mark.parametrize("kind", ["recordings", "shards"])
def test_training_reduces_the_batch_and_resumes_with_it(clips, tmp_path, caplog, kind):
    caplog.set_level("INFO", "kerasep")
    songs = clips
    if kind == "shards":
        songs = tmp_path / "shards"
        shutil.copytree(clips / "song_0000", tmp_path / "held_out" / "other")
        data.prepare(clips, songs, tiny(), valid=tmp_path / "held_out")
    folder = tmp_path / "run"
    options = {"valid": None} if kind == "shards" else {"valid": clips}
    received = kerasep.training.train(
        tiny(), songs, folder, recipe={**RECIPE, **recipe(16)}, **options
    )
    lines = [line for line in caplog.messages if line.startswith("an epoch has")]
    assert lines == ["an epoch has 6 crops: batches of 6, not 16"]
    expected = kerasep.training.train(
        tiny(), songs, tmp_path / "other", recipe={**RECIPE, **recipe(6)}, **options
    )
    np.testing.assert_array_equal(losses(received), losses(expected))
    assert len(train_longer(songs, folder, options)) == 3


def train_longer(songs, folder, options):
    settings = {**RECIPE, **recipe(16), "epochs": 3}
    return kerasep.training.train(tiny(), songs, folder, recipe=settings, **options)


def test_the_fit_line_of_the_readme(clips):
    model = tiny()
    model.compile("adam", loss=kerasep.losses.TruncatedPhaseSensitive())
    history = model.fit(kerasep.data.spectrograms(clips, model), epochs=2, shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert len(history.history["loss"]) == 2
