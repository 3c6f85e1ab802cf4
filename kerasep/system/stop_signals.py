"""SIGTERM and SIGHUP, handled like Ctrl-C."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_AT_ONCE = 1.0  # seconds: a terminal that closes, and a service that is stopped, send two

_received: dict[int, float] = {}  # the time of the latest of each


def interrupt(number: int, frame: object) -> None:
    """Raise `KeyboardInterrupt`, unless another signal has just done so."""
    before, now = max(_received.values(), default=0.0), time.monotonic()
    _received[number] = now
    if now - before > _AT_ONCE:  # else the clean-up would be interrupted
        raise KeyboardInterrupt


@contextlib.contextmanager
def like_ctrl_c() -> Iterator[Callable[[], int]]:
    """Raise `KeyboardInterrupt` on SIGTERM and SIGHUP; yields a function for the exit status.

    The status is 128 and the number of the first signal: 143 for SIGTERM, 130 for Ctrl-C.
    """
    handled = []
    if threading.current_thread() is threading.main_thread():
        # An ignored signal stays ignored: nohup relies on it.
        handled = [number for number in STOPS if signal.getsignal(number) is signal.SIG_DFL]
    _received.clear()
    for number in handled:
        signal.signal(number, interrupt)
    try:
        yield lambda: 128 + next(iter(_received), signal.SIGINT)
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
