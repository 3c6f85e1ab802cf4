"""Moving averages of the weights: validated, saved, and left in the model at the end."""

import keras
import numpy as np
import pytest
from tiny_runs import RECIPE, kill, load, losses, tiny, train

from kerasep import data
from kerasep.training import recipes
from kerasep.training.averages import averaged

CONFIG = {"learning_rate": 0.01}
PLAIN = {"epochs": 2, "optimizer": {"class_name": "adam", "config": CONFIG}}
AVERAGING = {
    "epochs": 2,
    "optimizer": {
        "class_name": "adam",
        "config": {**CONFIG, "use_ema": True, "ema_momentum": 0.9},
    },
}


def evaluate(model, songs):
    recipes.compile_model(model, {**AVERAGING, "loss": RECIPE["loss"]})
    validation = data.spectrograms(songs, model, training=False, batch_size=4, crop_seconds=0.25)
    return model.evaluate(validation, verbose=0)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_averages_are_temporary(policy, precision):
    policy(precision)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "linear", use_bias=False)])
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1.0)
    model.compile(optimizer, "mse")
    seen = []
    for _ in range(2):
        model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
        seen.append(model.get_weights()[0])
    with averaged(model):
        np.testing.assert_allclose(model.get_weights()[0], (seen[0] + seen[1]) / 2, rtol=1e-6)
    np.testing.assert_array_equal(model.get_weights()[0], seen[1])


def test_averages_are_validated_and_saved(songs, tmp_path):
    trained = tiny()
    history = train(songs, tmp_path / "run", AVERAGING, trained)
    values = [row["val_loss"] for row in history]
    assert evaluate(load(tmp_path / "run"), songs) == pytest.approx(min(values), rel=1e-4)
    # The steps are those of a run without averages.
    others = train(songs, tmp_path / "plain", PLAIN)
    for row, other in zip(history, others, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-4)
        assert row["val_loss"] != pytest.approx(other["val_loss"], rel=1e-3)
    # At the end of training the model has the averages.
    assert evaluate(trained, songs) == pytest.approx(values[-1], rel=1e-4)


@pytest.mark.slow
def test_a_run_resumes_with_its_averages(songs, tmp_path):
    """The rest of an epoch is a fit of its own, at whose end Keras would keep the averages."""
    whole = train(songs, tmp_path / "whole", AVERAGING)
    kill(songs, tmp_path / "run", AVERAGING, batch=6, save_minutes=0.0)
    resumed = train(songs, tmp_path / "run", AVERAGING, tiny(seed=1), save_minutes=0.0)
    np.testing.assert_allclose(losses(resumed), losses(whole), rtol=1e-4)
