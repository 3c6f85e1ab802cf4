"""Reliable handling of Ctrl-C, and of signals handled like it, during training."""

import contextlib
import signal
import threading

import keras

from kerasep.system.stop_signals import STOPS, interrupt


class Interruption(keras.callbacks.Callback):
    """End training with the batch in which Ctrl-C was pressed.

    NumPy drops every error raised while it asks an array for its buffer. JAX waits for its results
    there, as training does most of the time, so a KeyboardInterrupt often gets lost.
    """

    def __init__(self):
        super().__init__()
        self.pressed = False

    @contextlib.contextmanager
    def watched(self):
        """Record the signals within the context, unless the program has its own handlers."""
        handlers = {}
        if threading.current_thread() is threading.main_thread():
            handlers = {
                number: handler
                for number in (signal.SIGINT, *STOPS)
                if (handler := signal.getsignal(number)) in (signal.default_int_handler, interrupt)
            }

        def notice(number, frame):
            self.pressed = True
            handlers[number](number, frame)

        for number in handlers:
            signal.signal(number, notice)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def on_train_batch_end(self, batch, logs=None):
        """Raise the KeyboardInterrupt that got lost."""
        if self.pressed:
            raise KeyboardInterrupt

    on_test_batch_end = on_train_batch_end
