"""Free, used and peak memory in bytes."""

import contextlib
import pathlib
import re


def free() -> int:
    """Return the available memory of the machine, or what is left of the container's limit."""
    import psutil

    available = psutil.virtual_memory().available
    limit, taken = (_read(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit.isdecimal() and taken.isdecimal():  # cgroup version 2
        # Like psutil, count what the system only keeps of files that were read as free.
        files = re.search(r"^inactive_file (\d+)", _read("/sys/fs/cgroup/memory.stat"), re.M)
        return min(available, int(limit) - int(taken) + (int(files[1]) if files else 0))
    return available


def used() -> int:
    """Return the resident memory of the process."""
    return _memory().rss


def peak() -> int:
    """Return the largest resident memory of the process so far, or its present one if unknown."""
    # getrusage would include the peak of the parent process.
    if high_water := re.search(r"VmHWM:\s*(\d+) kB", _read("/proc/self/status")):
        return 1024 * int(high_water[1])
    memory = _memory()
    return getattr(memory, "peak_wset", memory.rss)  # the former on Windows only


def _read(path):
    with contextlib.suppress(OSError):
        return pathlib.Path(path).read_text().strip()
    return ""


def _memory():
    import psutil  # imported late: it loads the modules of its platform

    return psutil.Process().memory_info()
