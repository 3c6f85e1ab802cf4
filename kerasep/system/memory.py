"""How much memory this machine, or container, has for the process."""

import contextlib
import pathlib
import re


def free():
    """Return how much memory can still be taken.

    It is what the system calls available, or what is left of a container's limit if that is less.

    Returns:
        Number of bytes.

    Example:
    >>> free() > 0
    True
    """
    import psutil

    available = psutil.virtual_memory().available
    try:
        limit, taken = (
            pathlib.Path(f"/sys/fs/cgroup/memory.{name}").read_text().strip()
            for name in ("max", "current")
        )
    except OSError:
        return available
    return available if limit == "max" else min(available, int(limit) - int(taken))


def used():
    """Return the resident memory of the process.

    Returns:
        Number of bytes.

    Example:
    >>> used() > 0
    True
    """
    return _memory().rss


def peak():
    """Return the largest resident memory that the process has had, or its present one if unknown.

    Returns:
        Number of bytes.

    Example:
    >>> peak() > 0
    True
    """
    # What getrusage counts of a process begins with what the one that started it had; Linux counts
    # the process alone too.
    with contextlib.suppress(OSError):
        if found := re.search(r"VmHWM:\s*(\d+) kB", pathlib.Path("/proc/self/status").read_text()):
            return 1024 * int(found[1])
    memory = _memory()
    return getattr(memory, "peak_wset", memory.rss)  # Windows knows the former


def _memory():
    # psutil chooses the modules of its system when imported: not before it is needed.
    import psutil

    return psutil.Process().memory_info()
