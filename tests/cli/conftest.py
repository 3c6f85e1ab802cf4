"""What the tests of commands share: a trained run, and functions that run the command line."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from kerasep import cli, data, zoo


@pytest.fixture(scope="session")
def train_command():
    """Function of (songs, out, *more) that returns the arguments of a training of one epoch."""
    return _train_command


@pytest.fixture(scope="session")
def call():
    """Function that runs the command line in this process and returns its exit status."""
    return _call


@pytest.fixture
def refused(capsys):
    """Function that runs a command that must fail, and returns its one line of error."""

    def refused(*arguments):
        status = _call(*arguments)
        error = capsys.readouterr().err
        assert status == 2, error
        assert error.startswith("kerasep: ")
        assert error.count("\n") == 1, error
        assert "Traceback" not in error
        return error

    return refused


@pytest.fixture(scope="session")
def files():
    """Function that returns the names of all files in a folder, sorted."""

    def files(folder):
        paths = folder.rglob("*")
        return sorted(str(path.relative_to(folder)) for path in paths if path.is_file())

    return files


@pytest.fixture(scope="session")
def start():
    """Function that starts the command line in a process of its own."""

    def start(*arguments, first="", **options):
        # A shell's background jobs ignore Ctrl-C, and so do the processes that they start.
        heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        script = f"{heard}\n{first}\nfrom kerasep.cli import main; main()"
        command = [sys.executable, "-c", script, *map(str, arguments)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    return start


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with three short songs, a small model trained on them and a recording."""
    folder = tmp_path_factory.mktemp("cli")
    data.write_songs(folder / "songs", 3, seconds=2.0)
    load = zoo.load
    with pytest.MonkeyPatch.context() as patch:
        sizes = {"hidden": 16, "n_fft": 256, "hop": 64, "lstm_layers": 1}
        patch.setattr(zoo, "load", functools.partial(load, **sizes))
        assert _call(*_train_command(folder / "songs", folder / "run")) == 0
    data.write(folder / "mixture.wav", np.random.default_rng(0).normal(0, 0.02, (9000, 1)), 16000)
    return folder


def _train_command(songs, out, *more):
    return (
        *("train", "open_unmix_like/small", "--data", songs, "--out", out),
        *("--epochs", 1, "--batch-size", 2, "--crop-seconds", 1, "--crops-per-track", 4, *more),
    )


def _call(*arguments):
    before, sys.argv = sys.argv, ["kerasep", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before
    raise AssertionError("main() ends by exiting")
