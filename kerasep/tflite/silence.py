"""Keeping native libraries' log lines off the user's terminal.

TFLite has no setting for it, so the process's standard error goes to a file meanwhile. All threads
share it: the first that asks redirects it, and the last that is done restores it.
"""

import contextlib
import os
import re
import sys
import tempfile
import threading

# How lines of TFLite, abseil, TensorFlow, MLIR and the converter begin; Python's logging differs.
_NATIVE = re.compile(
    rb"(VERBOSE|INFO|WARNING|ERROR): |[IWEF]\d{4} \d|\d{4}-\d\d-\d\d [\d:.]+: [IWEF] "
    rb"|To enable the following instructions|loc\(|<unknown>:0: |error: |note: "
    rb"|Some ops are not supported|(TF Select|Flex|Custom) ops: |Details:$|\ttf\.|\n"
)


class _Redirection:
    """Standard error, redirected for as long as any thread wants it so."""

    def __init__(self):
        self._lock = threading.Lock()
        self._holders = 0
        self._log = self._terminal = None

    def enter(self, pass_on):
        """Redirect, unless that is done; return where in the log this holder begins."""
        with self._lock:
            if not self._holders:
                self._start()
            self._holders += 1
            self._pass_on = self._pass_on and pass_on
            _flush()
            return os.fstat(self._log.fileno()).st_size if self._log else 0

    def leave(self):
        """Restore standard error for the last holder, and write what others wrote to it."""
        with self._lock:
            _flush()
            self._holders -= 1
            if self._holders or not self._log:
                return
            os.dup2(self._terminal, 2)
            os.close(self._terminal)
            foreign = _foreign(self._text(0)) if self._pass_on else b""
            self._log.close()
            self._log = self._terminal = None
            with contextlib.suppress(OSError):  # of a pipe that nobody reads any more
                while foreign:
                    foreign = foreign[os.write(2, foreign) :]

    def text(self, start):
        """Return what was written since a place in the log."""
        with self._lock:
            _flush()
            return self._text(start).decode(errors="replace") if self._log else ""

    def _start(self):
        self._pass_on = True
        _flush()
        # Standard error may be closed, or no file free: then lines go where they went before.
        with contextlib.suppress(OSError), contextlib.ExitStack() as undo:
            terminal = os.dup(2)
            undo.callback(os.close, terminal)
            # Appending: what is read of it moves no writer's place.
            log = undo.enter_context(tempfile.TemporaryFile("a+b", buffering=0))
            os.dup2(log.fileno(), 2)
            undo.pop_all()
            self._log, self._terminal = log, terminal

    def _text(self, start):
        self._log.seek(start)
        return self._log.read()


_redirection = _Redirection()


@contextlib.contextmanager
def quiet(pass_on=False):
    """Collect what is written to the process's standard error, by C++ code too.

    Threads may overlap; standard error is restored when the last of them is done.

    Args:
        pass_on: whether lines that are no native library's, such as other threads', are written to
            standard error in the end. Defaults to False: all are dropped.

    Yields:
        A function that returns the text so far; empty if standard error is closed.

    Example:
    ```python
    import os
    from kerasep.tflite.silence import quiet

    with quiet() as text:
        os.write(2, b"noise")
        assert text() == "noise"
    ```
    """
    start = _redirection.enter(pass_on)
    try:
        yield lambda: _redirection.text(start)
    finally:
        _redirection.leave()


def _foreign(text):
    """Return the lines that no native library wrote."""
    return b"".join(line for line in text.splitlines(True) if not _NATIVE.match(line))


def _flush():
    # It may be None, closed, or of a terminal that is gone.
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sys.stderr.flush()
