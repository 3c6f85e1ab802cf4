"""Free, used and peak memory."""

import subprocess
import sys

import numpy as np
import pytest

from kerasep.system import memory


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else counts a process alone")
def test_a_started_process_does_not_count_what_the_one_before_had():
    held = np.ones(400 << 20, "uint8")
    code = "from kerasep.system import memory; print(memory.peak())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert memory.peak() > held.nbytes > int(said.stdout.split()[-1])


@pytest.mark.parametrize("status", ["", None])
def test_where_the_system_does_not_say_the_usage_counts(monkeypatch, status):
    def read(path):
        if status is None:
            raise FileNotFoundError
        return status

    monkeypatch.setattr(memory.pathlib.Path, "read_text", read)
    assert memory.peak() > 1 << 20


@pytest.mark.parametrize(
    ("limit", "taken", "is_limited"),
    [("5000", "4000", True), ("max", "4000", False), ("", "", False), ("5000", "", False)],
)
def test_free_memory_respects_the_limit_of_a_container(monkeypatch, limit, taken, is_limited):
    values = {"/sys/fs/cgroup/memory.max": limit, "/sys/fs/cgroup/memory.current": taken}
    monkeypatch.setattr(memory, "_read", lambda path: values.get(path, ""))
    assert (memory.free() == 1000) == is_limited


def test_what_is_kept_of_files_is_free(monkeypatch):
    values = {
        "/sys/fs/cgroup/memory.max": "5000",
        "/sys/fs/cgroup/memory.current": "4000",
        "/sys/fs/cgroup/memory.stat": "active_file 200\ninactive_file 700\n",
    }
    monkeypatch.setattr(memory, "_read", values.get)
    assert memory.free() == 1700
