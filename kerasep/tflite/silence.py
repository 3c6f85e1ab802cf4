"""Keeping native libraries' log lines off the user's terminal."""

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet():
    """Collect what is written to the process's standard error, by C++ code too.

    Yields:
        A function that returns the text so far.

    Example:
    ```python
    import os
    from kerasep.tflite.silence import quiet

    with quiet() as text:
        os.write(2, b"noise")
        assert text() == "noise"
    ```
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:

        def text():
            sys.stderr.flush()
            log.seek(0)  # what is written next goes to the end again, having read that far
            return log.read().decode(errors="replace")

        os.dup2(log.fileno(), 2)
        try:
            yield text
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
