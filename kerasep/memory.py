"""How much memory this machine, or container, has for the process."""

import contextlib
import os
import pathlib
import re
import resource
import sys

_UNIT = 1 if sys.platform == "darwin" else 1024


def free():
    """Tell how much memory can still be taken.

    On Linux it is what the kernel calls available, or what is left of the container's limit if
    that is less; elsewhere, half of what the machine has.

    Returns:
        Number of bytes.

    Example:
    >>> free() > 0
    True
    """
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    (available,) = (1024 * int(line.split()[1]) for line in lines if "MemAvailable" in line)
    try:
        limit, taken = (
            pathlib.Path(f"/sys/fs/cgroup/memory.{name}").read_text().strip()
            for name in ("max", "current")
        )
    except OSError:
        return available
    return available if limit == "max" else min(available, int(limit) - int(taken))


def used():
    """Tell how much memory the process takes now, or at most took where that cannot be told.

    Returns:
        Number of bytes.

    Example:
    >>> used() > 0
    True
    """
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak()
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak():
    """Tell how much memory the process took at most so far.

    Returns:
        Number of bytes.

    Example:
    >>> peak() > 0
    True
    """
    # What getrusage tells of a process begins with what the one that started it had; Linux counts
    # the process alone too.
    with contextlib.suppress(OSError):
        if found := re.search(r"VmHWM:\s*(\d+) kB", pathlib.Path("/proc/self/status").read_text()):
            return 1024 * int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
