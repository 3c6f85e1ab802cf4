"""`kerasep data serve` as a process: its output, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest


def serve(*options):
    return subprocess.Popen(
        [sys.executable, "-m", "kerasep", "data", "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process, words):
    """Return the output up to the line with these words."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("".join(lines))


def worker_of(said):
    return int(re.search(r"process (\d+)", said).group(1))


def gone(pid, seconds=120):
    """Return whether a process ends in time; its entry may stay where nobody waits for orphans."""
    for _ in range(10 * seconds):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_it_stops_when_told():
    with serve("--port", "0", "--workers", "1") as process:
        said = until(process, "Ctrl-C stops")
        assert re.search(r"data service tcp://127\.0\.0\.1:\d+;", said)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 0
    assert gone(worker_of(said))


@pytest.mark.slow
def test_killed_workers_start_again():
    with serve("--port", "0", "--workers", "1") as process:
        worker = worker_of(until(process, "Ctrl-C stops"))
        os.kill(worker, signal.SIGKILL)
        said = until(process, "again")
        assert re.search(r"worker 127\.0\.0\.1:\d+ ended \(status -9\): started again", said)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped\n"
    assert process.returncode == 0
    assert gone(worker_of(said))


@pytest.mark.slow
def test_workers_do_not_outlive_it():
    with serve("--port", "0", "--workers", "2") as process:
        said = until(process, "Ctrl-C stops")
        process.kill()
    for worker in re.findall(r"process (\d+)", said):
        assert gone(int(worker))


@pytest.mark.slow
def test_no_dispatcher():
    with serve("--dispatcher", "127.0.0.1:1") as process:
        said = process.stdout.read()
    assert process.returncode == 2
    assert said.splitlines()[-1].startswith("kerasep: nobody answers at 127.0.0.1:1")
    assert "Traceback" not in said
