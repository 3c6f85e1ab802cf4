"""Runs that several files of tests share."""

import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tiny_runs


@pytest.fixture(scope="session")
def unbroken(songs, tmp_path_factory):
    """The model, the history and the folder of a run that nothing happened to."""
    model = tiny_runs.tiny(dropout=0.3)
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    return model, tiny_runs.train(songs, folder, model=model), folder


@pytest.fixture(scope="session")
def broken(songs, tmp_path_factory):
    """The folder of a run that was killed after two of three epochs."""
    folder = tmp_path_factory.mktemp("broken") / "run"
    tiny_runs.kill(songs, folder, epoch=2)
    return folder


@pytest.fixture
def run(broken, tmp_path):
    """A copy of that folder."""
    return shutil.copytree(broken, tmp_path / "run")
