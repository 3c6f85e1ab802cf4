"""Validate the settings of a recipe, and build its loss, optimizer and schedules."""

import fnmatch
import inspect
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from kerasep import data, losses
from kerasep.errors import InputError
from kerasep.system.arguments import plain
from kerasep.training.monitoring import Monitor, expect_one_of, weighted_metrics
from kerasep.training.precision import policy_of
from kerasep.zoo.cards import merge_recipe

SCHEDULES = {
    "plateau": keras.callbacks.ReduceLROnPlateau,
    "early_stopping": keras.callbacks.EarlyStopping,
}
KEYS = (
    "loss",
    "loss_weights",
    "optimizer",
    "plateau",
    "cosine",
    "early_stopping",
    "epochs",
    "freeze",
    "data",
    "metrics",
    "monitor",
    "dtype",
    "jit_compile",
    "steps_per_execution",
)
# Arguments of `kerasep.data.waveforms` that a run decides by itself.
NOT_SETTINGS = {"data", "model", "training", "seed", "split", "data_service"}
NOT_SETTINGS |= {"part", "first_epoch", "first_step"}


def complete_recipe(model: keras.Model, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's recipe with changes; raise `InputError` for settings that are invalid."""
    for name in changes:
        expect_one_of("recipe setting", name, KEYS)
    recipe = merge_recipe(model.recipe, changes)
    if "epochs" not in recipe:
        raise InputError("received a recipe without epochs: pass recipe={'epochs': ...}")
    if type(recipe["epochs"]) is not int or recipe["epochs"] < 1:
        raise InputError(f"received epochs={recipe['epochs']!r}, expected a number from 1 on")
    check_settings(recipe["data"])
    if recipe.get("dtype") is not None:
        recipe["dtype"] = policy_of(recipe["dtype"])
    steps, jit = recipe.get("steps_per_execution", 1), recipe.get("jit_compile", "auto")
    if type(steps) is not int or steps < 1 or jit not in (True, False, "auto"):
        raise InputError(
            f"received steps_per_execution={steps!r} and jit_compile={jit!r}, expected a number "
            f"from 1 on, and True, False or 'auto'"
        )
    return recipe


def freeze(model: keras.Model, patterns: Sequence[str] | None) -> None:
    """Exclude layers from training, by names or shell patterns such as "vocals_*".

    Frozen batch normalisations use their moving statistics. Raises `InputError` if no layer has
    such a name, or no weight is left to train.
    """
    if not patterns:
        return
    if isinstance(patterns, str) or not all(isinstance(pattern, str) for pattern in patterns):
        raise InputError(f"received freeze={patterns!r}, expected a list of names of layers")
    layers = [layer for layer in model.layers if layer.weights]
    for pattern in patterns:
        frozen = [layer for layer in layers if fnmatch.fnmatchcase(layer.name, pattern)]
        if not frozen:
            names = ", ".join(layer.name for layer in layers)
            raise InputError(f"received freeze={pattern!r}, expected names of layers: {names}")
        for layer in frozen:
            layer.trainable = False
    if not model.trainable_variables:
        raise InputError(
            f"received freeze={list(patterns)}, which leaves no weight to train: freeze less"
        )


def check_settings(settings: Mapping[str, Any]) -> None:
    """Validate the names of a recipe's data settings.

    Args:
        settings: the recipe's `data`: arguments of `kerasep.data.waveforms`.

    Raises:
        InputError: a setting is unknown, or `batch_size` or `crop_seconds` is missing.

    Example:
    >>> check_settings({"batch_size": 8, "crop_seconds": 6.0})
    """
    known = inspect.signature(data.waveforms).parameters.keys() - NOT_SETTINGS
    required = {"batch_size", "crop_seconds"}
    if settings.keys() - known or required - settings.keys():
        raise InputError(
            f"received data settings {', '.join(sorted(settings)) or 'none'}, expected batch_size, "
            f"crop_seconds and any of {', '.join(sorted(known - required))}"
        )


def compile_model(
    model: keras.Model,
    recipe: Mapping[str, Any],
    parts: int = 1,
    halvings: int = 0,
    replicas: int = 1,
) -> None:
    """Compile a model with a recipe's loss and optimizer.

    Args:
        model: a model of the zoo, or one returned by `waveform_training.fed_waveforms`.
        recipe: dict with `loss` and `optimizer`, each in Keras' serialised form. For a model with
            several outputs, `loss` and `loss_weights` are dicts by output name. It may have
            `metrics`, `jit_compile` and `steps_per_execution` (see `train`).
        parts: batches whose gradients one optimizer step sums. Defaults to 1.
        halvings: number of times to halve the recipe's learning rate. Defaults to 0.
        replicas: devices that each clip their share of the gradient. Defaults to 1.

    Raises:
        InputError: Keras does not know the loss or the optimizer, or the losses and their weights
            do not match the model's outputs.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.training.recipes.compile_model(model, model.recipe)
    ```
    """
    _check_heads(model, recipe)
    try:
        optimizer = _optimizer(recipe["optimizer"], parts, 0.5**halvings, replicas)
        if isinstance(model.output, dict):
            loss = {head: _loss(config) for head, config in recipe["loss"].items()}
        else:
            loss = _loss(recipe["loss"])
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"received a recipe with loss {json.dumps(recipe.get('loss'))} and optimizer "
            f"{json.dumps(recipe.get('optimizer'))}, expected ones that Keras knows: {reason}"
        ) from error
    model.compile(
        optimizer=optimizer,
        loss=loss,
        loss_weights=recipe.get("loss_weights"),
        weighted_metrics=weighted_metrics(model, recipe),  # padding has a weight of 0
        jit_compile=recipe.get("jit_compile", "auto"),
        steps_per_execution=recipe.get("steps_per_execution", 1),
    )


def schedules(recipe: Mapping[str, Any], monitor: Monitor) -> list[keras.callbacks.Callback]:
    """Return the callbacks for a recipe's `plateau` and `early_stopping`.

    Args:
        recipe: dict that may hold `plateau` (arguments of `keras.callbacks.ReduceLROnPlateau`) and
            `early_stopping` (arguments of `keras.callbacks.EarlyStopping`).
        monitor: the logged value that they watch.

    Returns:
        List of Keras callbacks.

    Raises:
        InputError: the callback has no such argument.

    Example:
    >>> monitor = Monitor("val_loss", "min")
    >>> [type(one).__name__ for one in schedules({"plateau": {"patience": 5}}, monitor)]
    ['ReduceLROnPlateau']
    """
    try:
        return [
            kind(monitor=monitor.name, mode=monitor.mode, **recipe[key])
            for key, kind in SCHEDULES.items()
            if recipe.get(key)
        ]
    except (TypeError, ValueError) as error:
        raise InputError(f"received a schedule that Keras does not know: {error}") from error


def cosine(model: keras.Model, epochs: int) -> keras.callbacks.Callback:
    """Return a callback that lowers the learning rate along half a cosine, epoch by epoch.

    Args:
        model: a compiled model; the cosine starts from its learning rate.
        epochs: the length of the cosine. The rate of the last epoch is nearly 0.

    Returns:
        A `keras.callbacks.LearningRateScheduler`.

    Reference:
        Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """
    highest = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    return keras.callbacks.LearningRateScheduler(
        lambda epoch: highest * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    )


def _check_heads(model, recipe):
    """Raise `InputError` unless losses and their weights match the model's outputs."""
    heads = sorted(model.output) if isinstance(model.output, dict) else None
    for key in ("loss", "loss_weights"):
        value = recipe.get(key)
        if heads and value is not None and (not isinstance(value, dict) or sorted(value) != heads):
            raise InputError(
                f"received {key} {json.dumps(value)}, expected a dict with one for each output of "
                f"the model: {', '.join(heads)}"
            )
    if not heads and recipe.get("loss_weights") is not None:
        raise InputError(
            f"received loss_weights {json.dumps(recipe['loss_weights'])}, expected none for a "
            f"model with a single output"
        )


def _optimizer(config, parts, factor, replicas):
    """Build a recipe's optimizer for batches in parts and a lower rate."""
    # Keras modifies its argument. A deep copy of a model's recipe would copy the model.
    optimizer = keras.optimizers.get(plain(config))
    config = optimizer.get_config()
    rate = config["learning_rate"]
    if not isinstance(rate, dict):
        config["learning_rate"] = rate * factor
    elif parts > 1 or factor != 1:
        config["learning_rate"] = _Slowed(rate, parts, factor)
    if parts > 1:
        steps = config["gradient_accumulation_steps"] or 1
        config["gradient_accumulation_steps"] = steps * parts
    for norm in ("clipnorm", "global_clipnorm", "clipvalue"):
        if config[norm]:
            config[norm] /= replicas
    return type(optimizer).from_config(config)


class _Slowed(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule times a factor, for an optimizer that counts each part of a batch as a step."""

    def __init__(self, schedule, parts, factor):
        super().__init__()
        self.schedule = keras.saving.deserialize_keras_object(schedule)
        self.parts, self.factor = parts, factor

    def __call__(self, step):
        return self.factor * self.schedule(keras.ops.floor_divide(step, self.parts))

    def get_config(self):
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "parts": self.parts, "factor": self.factor}


def _loss(config):
    loss = keras.losses.deserialize(config, custom_objects=vars(losses))
    if not callable(loss):  # Keras returns an unknown name as it is
        raise ValueError(f"there is no loss {loss!r}")
    return loss
