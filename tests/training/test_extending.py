"""A finished run is extended by more epochs, to the result of a run that had them at once."""

import json
import shutil

import numpy as np
import pytest
from tiny_runs import FINISHED, files, kill, load, losses, refused, tiny, train

from kerasep.training.run_state import RunState


@pytest.fixture(scope="module")
def long(songs, tmp_path_factory):
    """A run of five epochs."""
    folder = tmp_path_factory.mktemp("long") / "run"
    return train(songs, folder, {"epochs": 5}, tiny(dropout=0.3)), folder


@pytest.fixture
def ended(unbroken, tmp_path):
    """A run that has ended after three."""
    return shutil.copytree(unbroken[2], tmp_path / "ended")


def check_equal(folder, history, long):
    np.testing.assert_array_equal(losses(history), losses(long[0]))
    assert files(folder) == FINISHED
    for weight, expected in zip(
        load(folder).get_weights(), load(long[1]).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected)
    assert json.loads((folder / "recipe.json").read_text())["recipe"]["epochs"] == 5


def test_it_comes_to_the_same_result(songs, ended, long):
    check_equal(ended, train(songs, ended, {"epochs": 5}, tiny(dropout=0.3)), long)


@pytest.mark.slow
def test_also_after_a_kill(songs, ended, long):
    kill(songs, ended, {"epochs": 5}, tiny(dropout=0.3), batch=7)
    assert files(ended) == ["history.csv", "model.keras", "recipe.json", "state.npz", "tensorboard"]
    check_equal(ended, train(songs, ended, {"epochs": 5}, tiny(dropout=0.3)), long)


@pytest.mark.slow
def test_also_before_it_has_ended(songs, tmp_path, long):
    folder = tmp_path / "run"
    kill(songs, folder, {"epochs": 3}, tiny(dropout=0.3), batch=7)
    check_equal(folder, train(songs, folder, {"epochs": 5}, tiny(dropout=0.3)), long)


def test_no_more_epochs(songs, ended):
    before = {path: path.read_bytes() for path in ended.iterdir() if path.is_file()}
    for epochs in (2, 3):
        refused("holds a finished run: extend it by more than 3", songs, ended, {"epochs": epochs})
    refused("another recipe", songs, ended, {"epochs": 5, "plateau": None}, tiny(dropout=0.3))
    (ended / "final_state.npz").unlink()
    refused("without final_state.npz", songs, ended, {"epochs": 5}, tiny(dropout=0.3))
    assert all(path.read_bytes() == content for path, content in before.items() if path.exists())


def test_a_cosine_is_as_long_as_all_epochs(songs, tmp_path):
    recipe = {"cosine": True, "plateau": None}
    short = train(songs, tmp_path / "run", {**recipe, "epochs": 2})
    history = train(songs, tmp_path / "run", {**recipe, "epochs": 4})
    rates = [row["learning_rate"] for row in history]
    np.testing.assert_allclose(rates, [0.01, 0.005, 0.005, 0.00146447], rtol=1e-5)
    assert history[:2] == short


def test_patience_starts_again_after_an_early_stop(songs, tmp_path):
    recipe = {"early_stopping": {"patience": 2, "min_delta": 100.0}, "plateau": None}
    history = train(songs, tmp_path / "run", {**recipe, "epochs": 6})
    assert len(history) == 3
    assert RunState.read(tmp_path / "run/final_state.npz").finished
    history = train(songs, tmp_path / "run", {**recipe, "epochs": 7})
    assert len(history) == 6
