"""A recipe's settings, checked and as Keras objects: loss, optimizer and schedules."""

import copy
import inspect
import json
import math
from collections.abc import Mapping
from typing import Any

import keras

from kerasep import data, losses
from kerasep.errors import InputError
from kerasep.training.waveform_training import OfWaveforms
from kerasep.zoo.registry import merge_recipe

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
    "data",
)
# Arguments of `kerasep.data.waveforms` that a run decides by itself.
NOT_SETTINGS = {"data", "model", "training", "seed", "split", "data_service"}
NOT_SETTINGS |= {"part", "first_epoch", "first_step"}


def complete_recipe(model: keras.Model, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's recipe with changes; raise `InputError` for settings that are invalid."""
    unknown = changes.keys() - set(KEYS)
    if unknown:
        raise InputError(
            f"received recipe setting {', '.join(sorted(unknown))}, expected one of "
            f"{', '.join(KEYS)}"
        )
    recipe = merge_recipe(model.recipe, changes)
    if "epochs" not in recipe:
        raise InputError("received a recipe without epochs: pass recipe={'epochs': ...}")
    if recipe["epochs"] < 1:
        raise InputError(f"received epochs={recipe['epochs']}, expected 1 or more")
    check_settings(recipe["data"])
    return recipe


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
            several outputs, `loss` and `loss_weights` are dicts by output name.
        parts: how many batches one optimizer step sums the gradients of. Defaults to 1.
        halvings: how often to halve the recipe's learning rate. Defaults to 0.
        replicas: how many devices clip their own share of the gradient. Defaults to 1.

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
            loss = {head: _loss(config, model) for head, config in recipe["loss"].items()}
        else:
            loss = _loss(recipe["loss"], model)
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"received a recipe with loss {json.dumps(recipe.get('loss'))} and optimizer "
            f"{json.dumps(recipe.get('optimizer'))}, expected ones that Keras knows: {reason}"
        ) from error
    model.compile(optimizer=optimizer, loss=loss, loss_weights=recipe.get("loss_weights"))


def schedules(recipe: Mapping[str, Any], monitor: str) -> list[keras.callbacks.Callback]:
    """Return the callbacks for a recipe's `plateau` and `early_stopping`.

    Args:
        recipe: dict that may hold `plateau` (arguments of `keras.callbacks.ReduceLROnPlateau`) and
            `early_stopping` (arguments of `keras.callbacks.EarlyStopping`).
        monitor: the logged loss that they watch.

    Returns:
        List of Keras callbacks.

    Raises:
        InputError: the callback has no such argument.

    Example:
    >>> [type(one).__name__ for one in schedules({"plateau": {"patience": 5}}, "val_loss")]
    ['ReduceLROnPlateau']
    """
    try:
        return [
            kind(monitor=monitor, mode="min", **recipe[key])
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
    optimizer = keras.optimizers.get(copy.deepcopy(config))  # Keras modifies its argument
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


def _loss(config, model):
    loss = keras.losses.deserialize(config, custom_objects=vars(losses))
    if not callable(loss):  # Keras returns an unknown name as it is
        raise ValueError(f"there is no loss {loss!r}")
    transform = getattr(model, "transform", None)
    return OfWaveforms(loss, transform) if transform else loss
