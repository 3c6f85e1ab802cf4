"""A run that was killed leaves, to the bit, what an unbroken one leaves."""

import keras
import numpy as np
import pytest
from tiny_runs import FINISHED, Killed, files, kill, load, losses, tiny, train

from kerasep.training import fit
from kerasep.training.run_state import RunState

BATCHES = 5  # in an epoch
ADAM = {"class_name": "Adam", "config": {"learning_rate": 0.01}}
AVERAGES = {**ADAM, "config": {"learning_rate": 0.3, "use_ema": True, "ema_momentum": 0.8}}
DECAY = {
    "module": "keras.optimizers.schedules",
    "class_name": "CosineDecay",
    "config": {"initial_learning_rate": 0.02, "decay_steps": 12},
}
# At such a rate the best epoch is not the last.
STEEP = {"class_name": "SGD", "config": {"learning_rate": 30.0, "momentum": 0.9}}
RECIPES = {
    "best weights": {
        "epochs": 4,
        "optimizer": STEEP,
        "early_stopping": {"patience": 2, "restore_best_weights": True},
    },
    "averages": {
        "optimizer": AVERAGES,
        "plateau": {"factor": 0.3, "patience": 1, "cooldown": 1, "min_delta": 0.5},
    },
    "schedule": {
        "optimizer": {
            **ADAM,
            "config": {"learning_rate": DECAY, "gradient_accumulation_steps": 2},
        }
    },
    "cosine": {"cosine": True},
}


def run(songs, out, recipe, callbacks=(), **options):
    model = tiny(0.3)
    recipe = {"plateau": None, **recipe}
    history = train(songs, out, recipe, model, callbacks=callbacks, save_minutes=0.0, **options)
    return model.get_weights(), history, load(out).get_weights()


def broken(songs, out, recipe, callbacks=(), **place):
    recipe = {"plateau": None, **recipe}
    kill(songs, out, recipe, tiny(0.3), callbacks=callbacks, save_minutes=0.0, **place)


@pytest.fixture
def killed_at_the_end(monkeypatch):
    """Run a function, and kill it when the run only needs to be tidied."""

    def run_killed(function, *arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(fit.RunFolder, "finish", _raise)
            with pytest.raises(Killed):
                function(*arguments, **options)

    return run_killed


def _raise(*_):
    raise Killed


def assert_same(received, expected):
    for weights, others in ((received[0], expected[0]), (received[2], expected[2])):
        for weight, other in zip(weights, others, strict=True):
            np.testing.assert_array_equal(weight, other)
    without_time = [
        [{key: row[key] for key in row if key != "seconds"} for row in history]
        for history in (received[1], expected[1])
    ]
    assert without_time[0] == without_time[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_resumed_within_an_epoch_between_epochs_and_at_the_end(
    name, songs, tmp_path, killed_at_the_end
):
    recipe = RECIPES[name]
    unbroken = run(songs, tmp_path / "unbroken", recipe)
    broken(songs, tmp_path / "broken", recipe, batch=BATCHES + 3)
    broken(songs, tmp_path / "broken", recipe, epoch=2)
    killed_at_the_end(run, songs, tmp_path / "broken", recipe)
    assert_same(run(songs, tmp_path / "broken", recipe), unbroken)
    if name == "best weights":
        values = [row["val_loss"] for row in unbroken[1]]
        assert min(values) < values[-1], "the test needs a best epoch before the last"
        for weight, best in zip(unbroken[0], unbroken[2], strict=True):
            if weight.dtype == "float32":
                np.testing.assert_array_equal(weight, best)


def test_resumed_within_an_epoch(unbroken, songs, tmp_path):
    """With its dropout, running loss, optimizer, learning rate and crops."""
    kill(songs, tmp_path, model=tiny(0.3), batch=BATCHES + 3, save_minutes=0)
    state = RunState.read(tmp_path / "state.npz")
    assert (state.epoch, state.step) == (1, 3)
    model = tiny(0.3, seed=1)
    history = train(songs, tmp_path, model=model)
    for weight, expected in zip(model.get_weights(), unbroken[0].get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(losses(history), losses(unbroken[1]), rtol=1e-5)
    assert files(tmp_path) == FINISHED


def test_resumed_at_the_end(songs, run, killed_at_the_end):
    """After its last epoch a run only gets its final weights, and its folder is tidied."""
    killed_at_the_end(train, songs, run)
    state = RunState.read(run / "state.npz")
    (run / "history.csv").unlink()
    model = tiny(seed=1)
    assert train(songs, run, model=model) == state.history
    for number, weight in enumerate(model.trainable_variables):
        np.testing.assert_array_equal(weight, state.arrays[f"weight/{number}"])
    assert files(run) == FINISHED


def test_the_state_is_written_on_time(songs, tmp_path):
    """By default after five minutes, so not in this epoch. Time before a kill counts."""
    kill(songs, tmp_path, batch=BATCHES + 3)
    state = RunState.read(tmp_path / "state.npz")
    assert (state.epoch, state.step) == (1, 0)
    state.seconds = 3600.0
    state.write(tmp_path / "state.npz")
    history = train(songs, tmp_path, max_minutes=60.2)
    assert len(history) == 2
    assert history[-1]["seconds"] > 3600


def callbacks():
    return [
        keras.callbacks.ReduceLROnPlateau(
            "loss", factor=0.1, patience=1, min_delta=0.5, mode="min"
        ),
        keras.callbacks.EarlyStopping(
            "val_loss", patience=2, restore_best_weights=True, min_delta=0.01
        ),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        pytest.param({"epoch": 2}, id="between"),
        pytest.param({"batch": 2 * BATCHES + 2}, id="within"),
    ],
)
def test_callbacks_of_the_user(songs, tmp_path, place):
    recipe = {"optimizer": STEEP, "epochs": 4}
    unbroken = run(songs, tmp_path / "unbroken", recipe, callbacks())
    broken(songs, tmp_path / "broken", recipe, callbacks(), **place)
    assert_same(run(songs, tmp_path / "broken", recipe, callbacks()), unbroken)


@pytest.mark.slow
def test_averages_that_are_swapped_in(songs, tmp_path):
    """At the end of an epoch the model holds what the optimizer holds within it."""

    def swapping():
        return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)]

    recipe = {"optimizer": AVERAGES}
    unbroken = run(songs, tmp_path / "unbroken", recipe, swapping())
    broken(songs, tmp_path / "broken", recipe, swapping(), epoch=2)
    assert_same(run(songs, tmp_path / "broken", recipe, swapping()), unbroken)


@pytest.mark.slow
def test_averages_in_mixed_precision(songs, tmp_path, policy):
    policy("mixed_float16")
    recipe = {"optimizer": AVERAGES, "epochs": 2}
    unbroken = run(songs, tmp_path / "unbroken", recipe)
    assert load(tmp_path / "unbroken").dtype_policy.name == "mixed_float16"
    broken(songs, tmp_path / "broken", recipe, batch=BATCHES + 3)
    assert_same(run(songs, tmp_path / "broken", recipe), unbroken)
