"""A recipe's settings as Keras objects: loss, optimizer and schedules."""

import copy
import json
import math

import keras

from kerasep import losses
from kerasep.errors import InputError
from kerasep.training.waveform_training import OfWaveforms


def compile_model(model, recipe, parts=1, halvings=0, replicas=1):
    """Compile a model with a recipe's loss and optimizer.

    Args:
        model: a model of the zoo, or one that `waveform_training.fed_waveforms` made of it.
        recipe: dict with `loss` and `optimizer`, each in Keras' serialised form. For a model with
            several outputs, `loss` is a dict of one for each by name, and `loss_weights` a dict of
            what each counts in their sum.
        parts: how many batches the optimizer takes for one, summing their gradients. Defaults
            to 1.
        halvings: how often to halve the recipe's learning rate. Defaults to 0.
        replicas: how many copies of the model are trained side by side, each clipping its own
            share of the gradient. Defaults to 1.

    Raises:
        InputError: for a loss or optimizer that Keras does not know, or losses and weights that are
            not those of the model's outputs.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.training.recipes.compile_model(model, model.recipe)
    ```
    """
    _check_heads(model, recipe)
    weights = recipe.get("loss_weights")
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
    model.compile(optimizer=optimizer, loss=loss, loss_weights=weights)


def schedules(recipe, monitor):
    """Make a recipe's learning rate schedule and early stopping.

    Args:
        recipe: dict that may hold `plateau` (factor, patience) and `early_stopping` (patience).
        monitor: the logged loss that they watch.

    Returns:
        List of Keras callbacks.

    Raises:
        InputError: for a setting that the callback does not have.
    """
    kinds = {
        "plateau": keras.callbacks.ReduceLROnPlateau,
        "early_stopping": keras.callbacks.EarlyStopping,
    }
    try:
        return [
            kind(monitor=monitor, mode="min", **recipe[key])
            for key, kind in kinds.items()
            if recipe.get(key)
        ]
    except (TypeError, ValueError) as error:
        raise InputError(f"received a schedule that Keras does not know: {error}") from error


def cosine(model, epochs):
    """Lower the learning rate from epoch to epoch along half a cosine, to nearly 0 in the last.

    Args:
        model: a compiled model; its learning rate is where the cosine starts.
        epochs: how many it spans.

    Returns:
        A Keras callback.

    Reference:
        Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """
    highest = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    return keras.callbacks.LearningRateScheduler(
        lambda epoch: highest * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    )


def _check_heads(model, recipe):
    """Refuse losses and weights that are not one for each of a model's outputs."""
    heads = sorted(model.output) if isinstance(model.output, dict) else None
    for key in ("loss", "loss_weights"):
        found = recipe.get(key)
        if heads and found is not None and (not isinstance(found, dict) or sorted(found) != heads):
            raise InputError(
                f"received {key} {json.dumps(found)}, expected a dict with one for each output of "
                f"the model: {', '.join(heads)}"
            )
    if not heads and recipe.get("loss_weights") is not None:
        raise InputError(
            f"received loss_weights {json.dumps(recipe['loss_weights'])}, expected none for a "
            f"model with a single output"
        )


def _optimizer(config, parts, factor, replicas):
    """Make the optimizer of a recipe, for batches that come in parts or a lowered rate."""
    optimizer = keras.optimizers.get(copy.deepcopy(config))  # which Keras writes into
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
    """A schedule as it is where Keras counts every part of a batch as a step."""

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
    if not callable(loss):  # an unknown name comes back as it is
        raise ValueError(f"there is no loss {loss!r}")
    transform = getattr(model, "transform", None)
    return OfWaveforms(loss, transform) if transform else loss
