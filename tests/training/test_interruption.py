"""Ctrl-C ends training, whatever was at work."""

import contextlib
import pathlib
import signal
import sys
import threading

import keras
import pytest

from kerasep.system.stop_signals import STOPS, like_ctrl_c

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tiny_runs import train


class Presses(keras.callbacks.Callback):
    """Presses Ctrl-C in the third batch, where the error gets lost, as in NumPy; counts batches."""

    def __init__(self, testing, number=signal.SIGINT):
        super().__init__()
        self.testing, self.number, self.batches = testing, number, 0

    def press(self):
        self.batches += 1
        if self.batches == 3:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(self.number)

    def on_train_batch_end(self, batch, logs=None):
        if not self.testing:
            self.press()

    def on_test_batch_end(self, batch, logs=None):
        if self.testing:
            self.press()


@pytest.mark.parametrize("testing", [False, True])
def test_an_error_that_gets_lost_is_raised_again(songs, tmp_path, testing):
    presses, before = Presses(testing), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(songs, tmp_path / "run", callbacks=[presses])
    assert presses.batches == 3
    assert signal.getsignal(signal.SIGINT) is before
    assert len(train(songs, tmp_path / "run")) == 3  # goes on to the end


def test_who_takes_care_of_it_goes_on_doing_so(songs, tmp_path):
    heard, before = [], signal.getsignal(signal.SIGINT)
    presses = Presses(testing=False)
    signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        assert len(train(songs, tmp_path / "run", callbacks=[presses])) == 3
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_training_in_another_thread(songs, tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(train(songs, tmp_path / "run")))
    thread.start()
    thread.join()
    assert len(found[0]) == 3


@pytest.mark.parametrize("number", STOPS)
def test_signals_that_stop_a_command_are_noticed(songs, tmp_path, number):
    presses = Presses(testing=False, number=number)
    with like_ctrl_c() as status:
        with pytest.raises(KeyboardInterrupt):
            train(songs, tmp_path / "run", callbacks=[presses])
        assert status() == 128 + number
    assert presses.batches == 3
    assert signal.getsignal(number) is signal.SIG_DFL
    assert len(train(songs, tmp_path / "run")) == 3
