"""Ctrl-C ends training, even if its KeyboardInterrupt gets lost."""

import contextlib
import signal
import threading

import pytest
from tiny_runs import At, train

from kerasep.system.stop_signals import STOPS, like_ctrl_c
from kerasep.training.interruption import Interruption


@pytest.fixture(autouse=True)
def _usual_handlers():
    """Python's own handlers, also in a background job and under nohup, which ignore signals."""
    usual = {signal.SIGINT: signal.default_int_handler, **dict.fromkeys(STOPS, signal.SIG_DFL)}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def press(number=signal.SIGINT):
    """Lose the error, as NumPy does."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(number)


def test_training_ends(songs, tmp_path):
    pressing = At(lambda model: press(), batch=3)
    with pytest.raises(KeyboardInterrupt):
        train(songs, tmp_path / "run", callbacks=[pressing])
    assert pressing.seen == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [signal.SIGINT, *STOPS])
def test_the_next_batch_raises(number):
    interruption = Interruption()
    with like_ctrl_c() as status:
        before = signal.getsignal(number)
        with interruption.watched():
            interruption.on_train_batch_end(0)
            press(number)
            for step in (interruption.on_train_batch_end, interruption.on_test_batch_end):
                with pytest.raises(KeyboardInterrupt):
                    step(0)
        assert signal.getsignal(number) is before
        assert status() == 128 + number


def test_other_handlers_stay(songs, tmp_path):
    heard, interruption = [], Interruption()
    signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    with interruption.watched():
        press()
    interruption.on_train_batch_end(0)
    assert heard == [signal.SIGINT]


def test_another_thread():
    """Only the main thread may handle signals."""
    failures = []

    def watch():
        try:
            with Interruption().watched():
                pass
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert not failures
