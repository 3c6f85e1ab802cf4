"""A run that was broken off leaves, to the bit, what an unbroken one leaves."""

import pathlib
import sys

import keras
import numpy as np
import pytest

from kerasep.training import fit

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from tiny_runs import Tiny, tiny, train

BATCHES = 5
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
        "optimizer": STEEP,
        "early_stopping": {"patience": 2, "restore_best_weights": True},
    },
    "plateau": {"plateau": {"factor": 0.3, "patience": 1, "cooldown": 1, "min_delta": 0.5}},
    "averages": {"optimizer": AVERAGES},
    "schedule": {"optimizer": {**ADAM, "config": {"learning_rate": DECAY}}},
    "cosine": {"cosine": True},
    "sums": {"optimizer": {**ADAM, "config": {"gradient_accumulation_steps": 2}}},
}


class Killed(BaseException):
    """What ends a process, here."""


class Kill(keras.callbacks.Callback):
    """Breaks a run off behind so many batches, or at the end of such an epoch."""

    def __init__(self, batch=None, epoch=None):
        super().__init__()
        self.batch, self.epoch, self.seen = batch, epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.batch:
            raise Killed

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Killed


def run(songs, out, recipe, callbacks=(), **options):
    model = tiny(0.3)
    recipe = {"epochs": 4, "plateau": None, **recipe}
    history = train(songs, out, recipe, model, callbacks=callbacks, save_minutes=0.0, **options)
    return model.get_weights(), history, kept(out)


def kept(out):
    path = pathlib.Path(out, "model.keras")
    return keras.saving.load_model(path, custom_objects={"Tiny": Tiny}).get_weights()


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
def test_resumed_within_an_epoch_between_epochs_and_at_the_end(name, songs, tmp_path, monkeypatch):
    recipe = RECIPES[name]
    unbroken = run(songs, tmp_path / "unbroken", recipe)
    for place in (Kill(batch=BATCHES + 3), Kill(epoch=2)):
        with pytest.raises(Killed):
            run(songs, tmp_path / "broken", recipe, [place])
    with monkeypatch.context() as patch:
        patch.setattr(fit.RunFolder, "finish", _kill)
        with pytest.raises(Killed):
            run(songs, tmp_path / "broken", recipe)
    assert_same(run(songs, tmp_path / "broken", recipe), unbroken)
    if name == "best weights":
        losses = [row["val_loss"] for row in unbroken[1]]
        assert min(losses) < losses[-1], "the test needs a best epoch before the last"
        for weight, best in zip(unbroken[0], unbroken[2], strict=True):
            if weight.dtype == "float32":
                np.testing.assert_array_equal(weight, best)


def _kill(_folder):
    raise Killed


def callbacks():
    return [
        keras.callbacks.ReduceLROnPlateau(
            "loss", factor=0.1, patience=1, min_delta=0.5, mode="min"
        ),
        keras.callbacks.EarlyStopping(
            "val_loss", patience=2, restore_best_weights=True, min_delta=0.01
        ),
    ]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(Kill(epoch=2), id="between"),
        pytest.param(Kill(batch=2 * BATCHES + 2), id="within", marks=pytest.mark.slow),
    ],
)
def test_callbacks_of_the_user_s_own_choice(songs, tmp_path, place):
    recipe = {"optimizer": STEEP, "epochs": 6}
    unbroken = run(songs, tmp_path / "unbroken", recipe, callbacks())
    with pytest.raises(Killed):
        run(songs, tmp_path / "broken", recipe, [*callbacks(), place])
    assert_same(run(songs, tmp_path / "broken", recipe, callbacks()), unbroken)


@pytest.mark.slow
def test_averages_that_are_swapped_in(songs, tmp_path):
    """At the end of an epoch the model holds what the optimizer holds within it."""
    unbroken = run(songs, tmp_path / "unbroken", {"optimizer": AVERAGES}, _swapped())
    with pytest.raises(Killed):
        run(songs, tmp_path / "broken", {"optimizer": AVERAGES}, [*_swapped(), Kill(epoch=2)])
    assert_same(run(songs, tmp_path / "broken", {"optimizer": AVERAGES}, _swapped()), unbroken)


def _swapped():
    return [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)]


def test_time_before_a_kill_counts(songs, tmp_path):
    with pytest.raises(Killed):
        run(songs, tmp_path, {}, [Kill(epoch=1)])
    state = fit.RunState.read(tmp_path / "state.npz")
    state.seconds = 3600.0
    state.write(tmp_path / "state.npz")
    _, history, _ = run(songs, tmp_path, {}, max_minutes=60.2)
    assert len(history) == 2
    assert history[-1]["seconds"] > 3600


@pytest.mark.slow
def test_averages_are_kept_in_mixed_precision_too(songs, tmp_path, policy):
    policy("mixed_float16")
    recipe = {"optimizer": AVERAGES, "epochs": 2}
    weights, _, best = unbroken = run(songs, tmp_path / "unbroken", recipe)
    assert (
        keras.saving.load_model(
            tmp_path / "unbroken" / "model.keras", custom_objects={"Tiny": Tiny}
        ).dtype_policy.name
        == "mixed_float16"
    )
    with pytest.raises(Killed):
        run(songs, tmp_path / "broken", recipe, [Kill(batch=BATCHES + 3)])
    assert_same(run(songs, tmp_path / "broken", recipe), unbroken)
    plain = {"optimizer": {**AVERAGES, "config": {"learning_rate": 0.3}}, "epochs": 2}
    others, _, _ = run(songs, tmp_path / "plain", plain)
    assert any((one != other).any() for one, other in zip(weights, others, strict=True))
    assert len(best) == len(weights)
