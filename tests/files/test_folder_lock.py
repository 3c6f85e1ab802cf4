"""A locked folder admits one process, and keeps no trace of it."""

import os
import signal
import subprocess
import sys

import pytest

from kerasep.errors import InputError
from kerasep.files.folder_lock import locked

HOLD = """
import sys
from kerasep.files.folder_lock import locked
with locked(sys.argv[1]):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_refused_and_the_first_unharmed(tmp_path):
    with locked(tmp_path / "out"):
        with (
            pytest.raises(InputError, match=r"out, where another run is at work"),
            locked(tmp_path / "out"),
        ):
            pass
        assert (tmp_path / "out").is_dir()
        assert os.listdir(tmp_path / "out") == []
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "out"):
        pass


def test_a_killed_process_holds_nothing(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path / "out"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(InputError, match="another run"), locked(tmp_path / "out"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(tmp_path / "out"):
        assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_what_was_made_in_vain_is_removed(tmp_path, error):
    def run(*files):
        with locked(tmp_path / "a" / "b"):
            for file in files:
                (tmp_path / "a" / "b" / file).touch()
            if error:
                raise error

    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    assert os.listdir(tmp_path) == []
    (tmp_path / "a" / "b").mkdir(parents=True)
    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    assert (tmp_path / "a" / "b").is_dir()


def test_a_path_that_is_a_file(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="out, which is a file"), locked(tmp_path / "out"):
        pass
