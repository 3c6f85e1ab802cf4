"""Standard error, kept from native libraries' lines: nothing is lost for good."""

import os
import subprocess
import sys
import threading

import pytest

from kerasep.tflite.silence import quiet

NATIVE = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


@pytest.fixture
def terminal(capfd):
    """Function that returns what was written to standard error."""
    return lambda: capfd.readouterr().err


def identity():
    status = os.fstat(2)
    return status.st_dev, status.st_ino


def test_lines_are_collected_and_dropped(terminal):
    with quiet() as text:
        os.write(2, b"one\n")
        with quiet() as inner:
            os.write(2, b"two\n")
            assert inner() == "two\n"
        assert text() == "one\ntwo\n"
    os.write(2, b"three\n")
    assert terminal() == "three\n"


def test_lines_of_others_are_passed_on(terminal):
    with quiet(pass_on=True):
        os.write(2, NATIVE + b"of a thread\nW0000 00:00:17.2 1 a.cc:3] Ignored\nERROR:root:mine\n")
    assert terminal() == "of a thread\nERROR:root:mine\n"


def test_a_line_that_began_before_or_ends_after_stays_whole(terminal):
    os.write(2, b"began")
    with quiet(pass_on=True):
        os.write(2, b"\n\n" + NATIVE + b"ends")
    os.write(2, b" after\n")
    assert terminal() == "began\nends after\n"


def test_what_is_written_while_it_is_restored_comes_in_order(terminal, monkeypatch):
    restore = os.dup2

    def late(source, target):
        os.write(2, b"late\n")
        restore(source, target)

    with quiet(pass_on=True):
        os.write(2, b"early\n")
        monkeypatch.setattr(os, "dup2", late)
    monkeypatch.undo()
    os.write(2, b"after\n")
    assert terminal() == "early\nlate\nafter\n"


def test_many_threads_leave_it_as_it_was(terminal):
    before, files = identity(), len(os.listdir("/proc/self/fd"))
    barrier, raised = threading.Barrier(50), []

    def call(index):
        barrier.wait()
        for turn in range(20):
            try:
                with quiet(pass_on=True):
                    os.write(2, NATIVE)
                    os.write(2, f"{index} {turn}\n".encode())
                    if (index + turn) % 3 == 0:
                        raise KeyError(index)
            except KeyError:
                raised.append(index)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert identity() == before
    assert len(os.listdir("/proc/self/fd")) == files
    assert len(raised) > 300
    lines = terminal().splitlines()
    assert sorted(lines) == sorted(f"{i} {turn}" for i in range(50) for turn in range(20))


def test_overlapping_ends_restore_it(terminal):
    before = identity()
    first, second = quiet(), quiet()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert identity() != before
    second.__exit__(None, None, None)
    assert identity() == before


def test_without_free_files_it_does_nothing(terminal, monkeypatch):
    before = identity()

    def fail(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    with quiet() as text:
        os.write(2, b"seen\n")
        assert text() == ""
    assert (identity(), terminal()) == (before, "seen\n")


@pytest.mark.parametrize("closed", ["os.close(2)", "sys.stderr.close()", "sys.stderr = None"])
def test_a_closed_standard_error_stays_closed(exported, closed):
    program = f"""
import os, sys
{closed}
try:
    before = os.fstat(2)
except OSError:
    before = None
from kerasep.tflite import Runtime
from kerasep.tflite.silence import quiet
with quiet() as text:
    pass
Runtime({str(exported[1])!r})
try:
    assert os.path.samestat(os.fstat(2), before)
except OSError:
    assert before is None
print("well")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")


def test_loading_says_nothing_and_keeps_what_others_say(exported):
    program = f"""
import os, sys, threading
from kerasep.tflite import Runtime
stop = threading.Event()
def talk():
    for i in range(300):
        os.write(2, f"line {{i}}\\n".encode())
    stop.set()
thread = threading.Thread(target=talk)
thread.start()
while not stop.is_set():
    Runtime({str(exported[1])!r}, threads=1)
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Sorted: a thread may write between the restoring and the last line that is passed on.
    assert sorted(done.stderr.splitlines()) == sorted(f"line {i}" for i in range(300))
