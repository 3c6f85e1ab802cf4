"""Options of Beam, and a worker process that dies."""

import threading
import time

import pytest

from kerasep.errors import InputError
from kerasep.separation.beam_runs import _killed_workers_noticed, attempt, on_each


def test_options_are_beams_own(tmp_path):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    for options, words in (
        (["direct_num_workers=few"], "invalid int value: 'few'"),
        (["direct_workers=2"], "Apache Beam knows no direct_workers"),
    ):
        with pytest.raises(InputError, match=words):
            on_each([], print, tmp_path / "failures.csv", "direct", options)


@pytest.mark.parametrize("runner", ["direckt", "no_such_module.Runner", "json.Runner"])
def test_a_runner_that_beam_does_not_know(tmp_path, runner):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    with pytest.raises(InputError, match=f"received the runner '{runner}', expected") as caught:
        on_each([], print, tmp_path / "failures.csv", runner, [])
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_killed_worker_is_named_whoever_notices_first():
    def late():
        time.sleep(0.3)
        raise RuntimeError("Worker subprocess exited with return code 137")

    @_killed_workers_noticed()
    def run():
        threading.Thread(target=late).start()
        raise RuntimeError("Channel closed prematurely.")

    with pytest.raises(InputError, match=r"a worker process was killed, .* return code 137"):
        run()


def test_an_attempt_returns_why_it_failed_in_one_line():
    def work(file, error):
        if error:
            raise error

    assert attempt(work, "song.wav", None) is None
    assert attempt(work, "song.wav", OSError("received\n  nothing")) == "received nothing"
    assert attempt(work, "song.wav", ZeroDivisionError("by 0")) == "ZeroDivisionError: by 0"
