"""Reliable handling of Ctrl-C, and of signals that are taken as that, during training."""

import contextlib
import signal
import threading

import keras

from kerasep.system.stop_signals import STOPS, interrupt


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
        """Notice the signals as long as the context lasts; those that others handle are theirs."""
        usual = {}
        if threading.current_thread() is threading.main_thread():
            usual = {number: signal.getsignal(number) for number in (signal.SIGINT, *STOPS)}

        def notice(number, frame):
            self.pressed = True
            usual[number](number, frame)

        noticed = [
            number
            for number, handler in usual.items()
            if handler in (signal.default_int_handler, interrupt)
        ]
        for number in noticed:
            signal.signal(number, notice)
        try:
            yield
        finally:
            for number in noticed:
                signal.signal(number, usual[number])

    def on_train_batch_end(self, batch, logs=None):
        """Raise what got lost."""
        if self.pressed:
            raise KeyboardInterrupt

    on_test_batch_end = on_train_batch_end
