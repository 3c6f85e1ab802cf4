"""Ctrl-C that is heard, whoever happens to be at work when it is pressed."""

import contextlib
import signal
import threading

import keras


class Interruption(keras.callbacks.Callback):
    """Ends training with the batch in which Ctrl-C was pressed, if nothing else did before.

    NumPy drops every error that comes up while it asks an array for its buffer. JAX waits there for
    what it computes, and so does training most of the time: a KeyboardInterrupt often gets lost.
    """

    def __init__(self):
        super().__init__()
        self.pressed = False

    @contextlib.contextmanager
    def watched(self):
        """Notice Ctrl-C as long as the context lasts, unless somebody else takes care of it."""
        usual = signal.getsignal(signal.SIGINT)
        ours = threading.current_thread() is threading.main_thread()
        if not ours or usual is not signal.default_int_handler:
            yield
            return

        def notice(number, frame):
            self.pressed = True
            usual(number, frame)

        signal.signal(signal.SIGINT, notice)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, usual)

    def on_train_batch_end(self, batch, logs=None):
        """Raise what got lost."""
        if self.pressed:
            raise KeyboardInterrupt

    on_test_batch_end = on_train_batch_end
