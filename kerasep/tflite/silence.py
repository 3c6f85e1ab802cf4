"""Silence for native libraries' log lines on standard error.

TFLite has no setting for it, so the process's standard error is redirected to a file. All threads
share it: the first one redirects it, and the last one restores it.
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
    """Standard error, redirected while any thread needs it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._holders = 0
        self._log = self._terminal = None

    def enter(self, pass_on):
        """Redirect if no other thread has; return where in the log this thread begins."""
        with self._lock:
            if not self._holders:
                self._start()
            self._holders += 1
            self._pass_on = self._pass_on and pass_on
            _flush()
            return os.fstat(self._log.fileno()).st_size if self._log else 0

    def leave(self):
        """Restore standard error after the last thread, and pass on other programs' lines."""
        with self._lock:
            _flush()
            self._holders -= 1
            if self._holders or not self._log:
                return
            # Before standard error is restored, so that what others write next comes after it.
            text = self._text(0)
            end = text.rfind(b"\n") + 1
            self._pass(text[:end])
            os.dup2(self._terminal, 2)
            self._pass(self._text(end))
            os.close(self._terminal)
            self._log.close()
            self._log = self._terminal = None

    def text(self, start):
        """Return what was written since `start`."""
        with self._lock:
            _flush()
            return self._text(start).decode(errors="replace") if self._log else ""

    def _start(self):
        self._pass_on = True
        _flush()
        # Without free files, or with standard error closed, lines go where they went before.
        with contextlib.suppress(OSError), contextlib.ExitStack() as undo:
            terminal = os.dup(2)
            undo.callback(os.close, terminal)
            # Appending: reading does not move the writers' position.
            log = undo.enter_context(tempfile.TemporaryFile("a+b", buffering=0))
            os.dup2(log.fileno(), 2)
            undo.pop_all()
            self._log, self._terminal = log, terminal

    def _text(self, start):
        self._log.seek(start)
        return self._log.read()

    def _pass(self, text):
        """Write the lines of other programs where they would have gone."""
        foreign = _other_lines(text) if self._pass_on else b""
        with contextlib.suppress(OSError):  # a pipe that is no longer read
            while foreign:
                foreign = foreign[os.write(self._terminal, foreign) :]


_redirection = _Redirection()


@contextlib.contextmanager
def quiet(pass_on=False):
    """Drop standard error, C++ code's too; or, to `pass_on`, only the lines of native libraries.

    Yields a function that returns the text so far, empty if standard error is closed.
    """
    start = _redirection.enter(pass_on)
    try:
        yield lambda: _redirection.text(start)
    finally:
        _redirection.leave()


def _other_lines(text):
    """Return the lines that native libraries did not write."""
    # An empty first line is the end of one that began before standard error was redirected.
    begin = text.startswith(b"\n")
    kept = (line for line in text[begin:].splitlines(True) if not _NATIVE.match(line))
    return text[:begin] + b"".join(kept)


def _flush():
    # It may be None, closed, or a terminal that no longer exists.
    with contextlib.suppress(AttributeError, ValueError, OSError):
        sys.stderr.flush()
