"""Copy the weights that fit from one model to another of its class."""

from collections.abc import Iterator

import keras

from kerasep.errors import InputError
from kerasep.layers import ShiftScale, Whitening
from kerasep.models import SeparationModel
from kerasep.models.building import build_without_values
from kerasep.system import logs
from kerasep.system.keras_private import layer_before, sublayers
from kerasep.system.names import one_line

STATISTICS = (ShiftScale, Whitening)  # one number for each bin of a transform
_LISTED = 8

log = logs.logger(__name__)


class NothingFitsError(InputError):
    """Raised for weights of which no layer fits a model."""


def copy_weights(source: SeparationModel, target: SeparationModel, name: object) -> None:
    """Copy the layers of a trained model that fit another, and log which do not.

    A layer fits if it has the same name, class and shapes. Stacks of blocks are compared block by
    block. Layers that depend on the sources fit only for the same sources in the same order,
    statistics of bins only for the same transform, and a batch normalisation only behind a layer
    that fits. Raises `NothingFitsError` for another class, or if no kernel fits.
    """
    if type(source) is not type(target):
        raise NothingFitsError(
            f"received weights {name} of the class {type(source).__name__}, expected weights of "
            f"{target.name}, whose class is {type(target).__name__}"
        )
    pairs = list(_pairs(target.layers, source.layers))
    unfit = {path for path, _, twin in pairs if twin is None}
    unfit |= _source_dependent(source, target)
    has_other_bins = (source.sample_rate, source.stft) != (target.sample_rate, target.stft)
    if has_other_bins:
        unfit |= {path for path, layer, _ in pairs if isinstance(layer, STATISTICS)}
    initialised = {id(layer) for path, layer, _ in pairs if path in unfit}
    unfit |= {
        path
        for path, layer, _ in pairs
        if isinstance(layer, keras.layers.BatchNormalization)
        and layer in target.layers
        and id(layer_before(layer)) in initialised
    }
    kept = [(layer, twin) for path, layer, twin in pairs if path not in unfit]
    if not any(len(weight.shape) > 1 for layer, _ in kept for weight in layer.weights):
        raise NothingFitsError(
            f"received weights {name}, expected weights of {target.name} with the same arguments, "
            f"or some of its layers: no kernel has the name and the shape of one of the model's"
        )
    for layer, twin in kept:
        for weight, value in zip(layer.weights, twin.weights, strict=True):
            weight.assign(value)
    if unfit:
        _log_unfit(name, target, [pair for pair in pairs if pair[0] in unfit], len(pairs))
    else:
        target.trained = True
        if has_other_bins:
            log.warning(
                "%s: all layers of %s are kept, which were trained for another sample rate or "
                "transform: train it",
                one_line(name), target.name,
            )  # fmt: skip


def _pairs(layers, others, prefix="") -> Iterator[tuple]:
    """Yield (path, layer, layer of the same name, class and shapes or None) of all with weights."""
    by_name = {other.name: other for other in others}
    for layer in layers:
        if not layer.weights:
            continue
        path, twin = f"{prefix}{layer.name}", by_name.get(layer.name)
        if type(twin) is not type(layer):
            yield path, layer, None
        elif _shapes(twin) == _shapes(layer):
            yield path, layer, twin
        elif _is_stack(layer):
            yield from _pairs(sublayers(layer), sublayers(twin), f"{path}/")
        else:
            yield path, layer, None


def _shapes(layer):
    return [tuple(weight.shape) for weight in layer.weights]


def _is_stack(layer):
    """Return whether a layer holds blocks of layers, and has no weights beside theirs."""
    parts = sublayers(layer)
    blocks = any(sublayers(part) for part in parts)
    return blocks and sum(len(part.weights) for part in parts) == len(layer.weights)


def _source_dependent(source, target):
    """Return the paths of the layers whose sizes depend on the sources, if these differ in name."""
    if source.sources == target.sources or source.interchangeable:
        return set()
    arguments = source.get_config()
    another = f"another_{'_'.join(source.sources)}"
    larger = build_without_values(
        type(source), {**arguments, "sources": [*source.sources, another]}
    )
    return {path for path, _, twin in _pairs(source.layers, larger.layers) if twin is None}


def _log_unfit(name, target, unfit, count):
    listed = [f"{path} {_largest(layer)}" for path, layer, _ in unfit[:_LISTED]]
    more = f" and {len(unfit) - _LISTED} more" if len(unfit) > _LISTED else ""
    log.info(
        "%s: %d of %d layers of %s are kept; initialised: %s%s",
        one_line(name), count - len(unfit), count, target.name, ", ".join(listed), more,
    )  # fmt: skip


def _largest(layer):
    """Return the shape of a layer's largest weight."""
    return max(_shapes(layer), key=lambda shape: (len(shape), shape))
