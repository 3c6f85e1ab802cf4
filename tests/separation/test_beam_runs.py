"""Options of Beam, and a worker process that dies."""

import signal
import threading
import time
from types import SimpleNamespace

import pytest

from kerasep.errors import InputError
from kerasep.separation import beam_runs
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


KILLED = r"a worker process was killed, .* return code 137"


def late(seconds=0.3):
    """Start what notices in a thread of Beam's that a worker was killed."""

    def fail():
        time.sleep(seconds)
        raise RuntimeError("Worker subprocess exited with return code 137")

    thread = threading.Thread(target=fail)
    thread.start()
    return thread


@pytest.fixture
def interrupts(monkeypatch):
    """Count the signals to the main thread, and hold them back."""
    sent = []
    monkeypatch.setattr(beam_runs.signal, "pthread_kill", lambda *to: sent.append(to))
    monkeypatch.setattr(beam_runs, "_PATIENCE", 120.0)
    return sent


def test_a_killed_worker_is_named_whoever_notices_first(interrupts):
    @_killed_workers_noticed()
    def run():
        late()
        raise RuntimeError("Channel closed prematurely.")

    with pytest.raises(InputError, match=KILLED):
        run()
    assert interrupts == []  # which would come after the run


def test_two_killed_workers_interrupt_once(interrupts):
    @_killed_workers_noticed()
    def run():
        for thread in (late(0), late(0)):
            thread.join()
        assert len(interrupts) == 1
        raise KeyboardInterrupt

    with pytest.raises(InputError, match=KILLED):
        run()


@pytest.fixture
def ctrl_c():
    """Python's own handler, also in a background job, which ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_that_comes_after_the_failure_of_the_run(ctrl_c):
    @_killed_workers_noticed()
    def run():
        try:
            late(0).join()
        except KeyboardInterrupt:
            raise RuntimeError("Channel closed prematurely.") from None

    with pytest.raises(InputError, match=KILLED):
        run()


def test_a_killed_worker_is_named_while_the_others_are_ended(interrupts, tmp_path, monkeypatch):
    class Pipeline:
        def __init__(self, **settings):
            pass

        def __enter__(self):
            noticing.append(late())
            raise RuntimeError("Channel closed prematurely.")

        def __exit__(self, *error):
            pass

    def wait_procs(workers, timeout):
        noticing[0].join()  # as workers take time to end
        return workers, []

    noticing = []
    beam = SimpleNamespace(Pipeline=Pipeline)
    monkeypatch.setattr(beam_runs, "_beam", lambda runner, options: (beam, None, None))
    monkeypatch.setattr(beam_runs.psutil, "wait_procs", wait_procs)
    with pytest.raises(InputError, match=KILLED):
        on_each([], print, tmp_path / "failures.csv", "direct", [])


def test_an_attempt_returns_why_it_failed_in_one_line():
    def work(file, error):
        if error:
            raise error

    assert attempt(work, "song.wav", None) is None
    assert attempt(work, "song.wav", OSError("received\n  nothing")) == "received nothing"
    assert attempt(work, "song.wav", ZeroDivisionError("by 0")) == "ZeroDivisionError: by 0"
