"""Normalisation by statistics of the training data, for the layers that have none yet."""

from collections.abc import Iterable

import keras
import numpy as np

from kerasep.layers import ShiftScale
from kerasep.models import SeparationModel
from kerasep.system import logs
from kerasep.system.keras_private import flatten_layers
from kerasep.zoo.fitting import STATISTICS

log = logs.logger(__name__)


def adapt(model: SeparationModel, dataset: Iterable) -> None:
    """Call `model.adapt(dataset)`, and keep the statistics that came with trained weights.

    Trained weights expect their own statistics. A source that was added has none yet.
    """
    layers = [layer for layer in flatten_layers(model) if isinstance(layer, STATISTICS)]
    kept = [(layer, layer.get_weights()) for layer in layers if _is_set(layer)]
    if layers and len(kept) == len(layers):
        return
    if type(model).adapt is not SeparationModel.adapt:
        log.info("first, the level of every frequency in the training data")
    model.adapt(dataset)
    for layer, weights in kept:
        layer.set_weights(weights)


def _is_set(layer):
    """Return whether a layer is no longer the identity."""
    shift, scale = ("shift", "scale") if isinstance(layer, ShiftScale) else ("mean", "deviation")
    values = (keras.ops.convert_to_numpy(getattr(layer, name)) for name in (shift, scale))
    return any(np.any(value != start) for value, start in zip(values, (0, 1), strict=True))
