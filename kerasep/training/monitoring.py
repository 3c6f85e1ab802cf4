"""The metrics that a run logs, and the one by which it selects its best weights."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasep import metrics
from kerasep.errors import InputError
from kerasep.models.separation_model import SeparationModel

ESTIMATES = "estimates"  # the output of a model with several that holds its estimates
_KINDS = (metrics.SISDR, metrics.SISNR, metrics.SDSDR, metrics.SNR, metrics.USDR)
_NAMES = {
    f"{kind.short}{'_improvement' * improvement}": (kind, improvement)
    for kind in _KINDS
    for improvement in (False, True)
}


class Monitor(NamedTuple):
    """The logged value that decides which weights are best; `mode` is "min" or "max"."""

    name: str
    mode: str


def expect_one_of(what: str, received: object, known: Iterable[str]) -> None:
    """Raise `InputError` for an unknown name, with the nearest known one."""
    known = list(known)
    if received in known:
        return
    nearest = difflib.get_close_matches(str(received), known, n=1, cutoff=0.5)
    hint = f": did you mean {nearest[0]}?" if nearest else ""
    raise InputError(f"received {what} {received!r}, expected one of {', '.join(known)}{hint}")


def as_recipe(chosen: Sequence[str | keras.metrics.Metric | dict]) -> list[str | dict]:
    """Return metrics as a recipe holds them: names as they are, objects in serialised form."""
    if isinstance(chosen, str):
        raise InputError(f"received metrics={chosen!r}, expected a list: [{chosen!r}]")
    return [
        keras.saving.serialize_keras_object(one) if isinstance(one, keras.metrics.Metric) else one
        for one in chosen
    ]


def build_metrics(model: keras.Model, recipe: Mapping[str, Any]) -> list[keras.metrics.Metric]:
    """Build a recipe's metrics, which reorder the estimates of interchangeable sources."""
    built = [_metric(one, model) for one in recipe.get("metrics") or ()]
    names = [metric.name for metric in built]
    if len(set(names)) < len(names):
        raise InputError(f"received metrics {', '.join(names)}, expected each name once")
    return built


def weighted_metrics(model: keras.Model, recipe: Mapping[str, Any]) -> Any:
    """Return the metrics for `compile`, under the output that they compare with the sources."""
    built = build_metrics(model, recipe)
    return {ESTIMATES: built} if built and isinstance(model.output, dict) else built or None


def find_monitor(model: keras.Model, recipe: Mapping[str, Any], validated: bool) -> Monitor:
    """Return the recipe's `monitor`, by default the validation loss, or without one the loss.

    Raises `InputError` for an unknown one, and for metrics that do not fit the model.
    """
    heads = sorted(model.output) if isinstance(model.output, dict) else []
    prefix = f"{ESTIMATES}_" if heads else ""
    modes = dict.fromkeys(["loss", *(f"{head}_loss" for head in heads)], "min")
    built = build_metrics(model, recipe)
    if built and type(model).estimate is not SeparationModel.estimate and ESTIMATES not in heads:
        raise InputError(
            f"received metrics for {model.name}, which estimates no sources while it trains, "
            f"expected none: score it by kerasep evaluate"
        )
    for metric in built:
        _check_fits(metric, model)
        direction = getattr(metric, "_direction", None)  # as Keras' callbacks ask
        modes[f"{prefix}{metric.name}"] = "max" if direction == "up" else "min"
    if validated:
        modes = {f"val_{name}": mode for name, mode in modes.items()} | modes
    name = recipe.get("monitor") or next(iter(modes))
    if not validated and str(name).startswith("val_"):
        raise InputError(
            f"received monitor {name!r} without tracks to validate on, expected one of "
            f"{', '.join(modes)}: pass more tracks, or valid"
        )
    expect_one_of("monitor", name, modes)
    return Monitor(name, modes[name])


def _metric(one, model):
    if isinstance(one, str):
        expect_one_of("metric", one, _NAMES)
        kind, improvement = _NAMES[one]
        return kind(improvement=improvement, permutation=bool(model.interchangeable))
    try:
        metric = keras.saving.deserialize_keras_object(one)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"received metric {str(one)[:80]}, expected one of Keras'") from error
    if not isinstance(metric, keras.metrics.Metric):
        raise InputError(f"received metric {one!r}, expected a name or a keras.metrics.Metric")
    return metric


def _check_fits(metric, model):
    """Raise `InputError` now for signals that the metric cannot compare."""
    count, channels = len(model.sources), model.channels
    if model.domain == "spectrogram":
        bins = model.stft["n_fft"] // 2 + 1
        true = ops.zeros((1, 2, bins, channels, 1 + count, 2))
        estimate = ops.zeros((1, 2, bins, channels, count))
    else:
        true = estimate = ops.zeros((1, 8, channels, count))
    try:
        metric.update_state(true, estimate)
    except InputError:
        raise
    except Exception as error:  # each backend has its own class
        raise InputError(
            f"received metric {metric.name} for {model.name}, expected one that compares a "
            f"reference of shape {tuple(true.shape)} with an estimate of shape "
            f"{tuple(estimate.shape)}: choose a metric of kerasep"
        ) from error
    metric.reset_state()
