"""Folders of runs: which can be resumed, and which are left alone."""

import json
import logging

import pytest
import tiny_runs
from test_run_state import refused
from tiny_runs import files, kill, tiny, train

import kerasep
from kerasep import data
from kerasep.errors import InputError
from kerasep.training import run_folder


def test_other_settings(songs, run):
    state = (run / "state.npz").read_bytes()
    tiny_runs.refused("another recipe:", songs, run, {"epochs": 1})
    tiny_runs.refused("another seed:", songs, run, seed=1)
    tiny_runs.refused("another arguments:", songs, run, model=tiny(0.1))
    with pytest.raises(InputError, match="another monitor:"):
        kerasep.training.train(tiny(), data.find_tracks(songs)[:1], run, recipe=tiny_runs.RECIPE)
    assert (run / "state.npz").read_bytes() == state


def test_other_files(songs, tmp_path):
    (tmp_path / "recipe.json").write_text('{"flour": "500 g"}')
    tiny_runs.refused("holds other files", songs, tmp_path)
    assert files(tmp_path) == ["recipe.json"]


def test_partial_files_are_removed(songs, run):
    for name in (".state.npz.0123abcd.partial", ".partial.model.keras"):
        (run / name).write_bytes(b"the beginning")
    kill(songs, run, epoch=2)
    assert not list(run.glob(".*"))


def release(run, version):
    settings = json.loads((run / "recipe.json").read_text("utf-8"))
    settings["kerasep"] = version
    (run / "recipe.json").write_text(json.dumps(settings), "utf-8")


def test_a_patch_release_resumes(songs, run, caplog):
    caplog.set_level(logging.WARNING, "kerasep")
    release(run, "0.1.99")
    kill(songs, run, epoch=2)
    assert "was begun with" not in caplog.text


def test_a_minor_release_resumes_with_a_warning(songs, run, caplog, monkeypatch):
    monkeypatch.setattr(run_folder, "__version__", "0.7.3")
    kill(songs, run, epoch=2)
    assert "was begun with kerasep 0.1.0 and resumes with 0.7.3: the results may" in caplog.text


@pytest.mark.parametrize("version", ["1.0.0", "next", 3, None])
def test_a_major_release_is_refused(songs, run, version):
    release(run, version)
    message = rf"holds a run of kerasep {version}, expected one of kerasep 0: resume with that"
    refused(songs, run, message, file=None)


def test_other_files_of_the_folder(songs, run):
    (run / "model.keras").write_bytes(b"")
    refused(songs, run, "model.keras, which is damaged: remove its folder", "model.keras")
    (run / "model.keras").unlink()
    refused(songs, run, "model.keras, which is missing: remove its folder", "model.keras")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100000])
def test_settings_that_are_damaged(songs, run, content):
    (run / "recipe.json").write_bytes(content)
    refused(songs, run, "recipe.json, which is damaged: remove its folder", "recipe.json")


@pytest.mark.parametrize("content", [b"[]", b"{}", b"3", b"null"])
def test_settings_of_something_else(songs, run, content):
    (run / "recipe.json").write_bytes(content)
    refused(songs, run, "holds other files", file=None)


def test_a_damaged_history_is_written_again(songs, run):
    (run / "history.csv").write_bytes(b"\0garbage")
    train(songs, run)
    lines = (run / "history.csv").read_text("utf-8").splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("epoch,seconds,loss")
    # A finished run without its history is a finished run.
    (run / "history.csv").unlink()
    refused(songs, run, "holds a finished run: extend it by more than 3 epochs", file=None)


@pytest.mark.parametrize("recipe", ["5", '"abc"', '{"data": 5}', "null", "[[]]"])
def test_a_recipe_that_is_none_beside_a_model(recipe, tmp_path):
    tiny = kerasep.zoo.describe("unet_like")["tiny"]
    kerasep.zoo.load("unet_like", **tiny).save(tmp_path / "model.keras")
    (tmp_path / "recipe.json").write_text(f'{{"recipe": {recipe}}}', "utf-8")
    with pytest.raises(InputError, match="expected a recipe in JSON"):
        kerasep.zoo.load(tmp_path)


def test_a_file_in_the_place_of_the_folder(songs, tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(InputError, match=r"run, which is a file, expected a folder"):
        train(songs, tmp_path / "run")
    assert (tmp_path / "run").read_text() == "a file"
