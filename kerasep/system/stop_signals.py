"""SIGTERM and SIGHUP, taken as Ctrl-C is."""

import contextlib
import signal
import threading
import time

STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_AT_ONCE = 1.0  # seconds: a terminal that closes, and a service that is stopped, send two

_received: dict[int, float] = {}  # when the latest of each came


def interrupt(number, frame):
    """Raise `KeyboardInterrupt`, as Ctrl-C does: what is half written is cleaned up."""
    before, now = max(_received.values(), default=0.0), time.monotonic()
    _received[number] = now
    if now - before > _AT_ONCE:  # else the clean-up would be interrupted
        raise KeyboardInterrupt


@contextlib.contextmanager
def like_ctrl_c():
    """Raise `KeyboardInterrupt` on the signals that would otherwise kill the process.

    Yields:
        Function that returns the status a process ends with when stopped: 128 and the number of
        the signal that came first, so 143 for SIGTERM, 129 for SIGHUP, and 130 for Ctrl-C.
    """
    ours = []
    if threading.current_thread() is threading.main_thread():
        # One that is ignored stays so: nohup does that.
        ours = [number for number in STOPS if signal.getsignal(number) is signal.SIG_DFL]
    _received.clear()
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield lambda: 128 + next(iter(_received), signal.SIGINT)
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
