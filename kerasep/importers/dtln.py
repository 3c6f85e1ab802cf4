"""DTLN's weights, as its author publishes them, into `kerasep.models.DTLNLike`."""

import os
import pathlib
from collections.abc import Iterator

import h5py
import numpy as np

from kerasep.errors import InputError
from kerasep.files import hdf5_headers
from kerasep.importers import weight_map
from kerasep.importers.weight_map import Slot, assign, check_class, reshaped, same, some
from kerasep.models import DTLNLike

_ADVICE = "build the model as it was trained: dtln_like/dtln, or dtln_like/norm_40h for *_norm_*.h5"
# What a file is known by: arrays and the number of their axes.
_AXES = {"conv1d/kernel": 3, "conv1d_1/kernel": 3, "lstm_3/kernel": 2}


def weights(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read the weights from one of DTLN's files.

    Args:
        path: a file of weights that Keras 2 wrote, such as `model.h5`.

    Returns:
        A dict from the name of a layer and its weight, such as "lstm_1/kernel", to an array.

    Raises:
        InputError: if there is no file, or it is not DTLN's.

    Example:
    >>> weights("model.h5")
    Traceback (most recent call last):
    kerasep.errors.InputError: received model.h5, which is not a file: give the path of a .h5 file
    """
    if not pathlib.Path(path).is_file():
        raise InputError(f"received {path}, which is not a file: give the path of a .h5 file")
    shapes = hdf5_headers.shapes(path)
    axes = {_short(name): len(shape) for name, shape in shapes.items()}
    if any(axes.get(name) != count for name, count in _AXES.items()):
        raise InputError(
            f"received {path} of {len(shapes)} arrays ({some(shapes)}), expected DTLN's "
            f"{', '.join(_AXES)}: give one of DTLN's .h5 files"
        )
    with h5py.File(path, "r") as file:
        return {_short(name): file[name][()] for name in shapes}


def load(model: DTLNLike, path: str | os.PathLike) -> DTLNLike:
    """Set a model's weights from one of DTLN's files.

    Args:
        model: a `kerasep.models.DTLNLike`.
        path: as for `weights`.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds another model: it names the weights
            missing, not expected and of another shape.

    Example:
    >>> load(DTLNLike(frame=64, hop=16, filters=8, units=4), "no.h5")
    Traceback (most recent call last):
    kerasep.errors.InputError: received no.h5, which is not a file: give the path of a .h5 file
    """
    check_class(model, DTLNLike)
    assign(path, _slots(model), weights(path), _ADVICE)
    model.trained = True
    return model


def build(path: str | os.PathLike, sample_rate: int = 16000, hop: int | None = None) -> DTLNLike:
    """Build the model that one of DTLN's files fits, with its weights.

    Args:
        path: as for `weights`.
        sample_rate: in Hz. Defaults to 16000.
        hop: samples between frames. Default: a quarter of a frame.

    Returns:
        A `kerasep.models.DTLNLike`.

    Raises:
        InputError: as `load`.

    Example:
    >>> build("no.h5")
    Traceback (most recent call last):
    kerasep.errors.InputError: received no.h5, which is not a file: give the path of a .h5 file
    """
    state = weights(path)
    _, frame, filters = state["conv1d/kernel"].shape
    settings = {
        "sample_rate": sample_rate,
        "frame": frame,
        "hop": hop or frame // 4,
        "filters": filters,
        "units": state["lstm_3/kernel"].shape[1] // 4,
        "normalized": "layer_normalization_1/gamma" in state,
    }
    return load(weight_map.build(path, DTLNLike, settings, state.values()), path)


def _slots(model) -> Iterator[Slot]:
    """Map all weights. Keras 2 counted the layers of a kind through the model."""

    def weight(name, variable):
        return same(f"{name}/{variable.name}", variable)

    cells = [*model.get_layer("spectrum_lstm").cells, *model.get_layer("features_lstm").cells]
    for index, layer in enumerate(cells):
        for variable in layer.weights:
            yield weight(_numbered("lstm", index), variable)
    for index, name in enumerate(("mask_spectrum", "mask_features")):
        for variable in model.get_layer(name).dense.weights:
            yield weight(_numbered("dense", index), variable)
    norms = ["spectrum_norm", "features_norm"] if model.normalized else ["features_norm"]
    for index, name in enumerate(norms):
        for variable in model.get_layer(name).weights:
            yield weight(_numbered("layer_normalization", index), variable)
    for index, variable in enumerate(
        (model.get_layer("analysis").kernel, model.get_layer("synthesis").filters)
    ):
        shape = (1, *variable.shape)
        yield reshaped(f"{_numbered('conv1d', index)}/kernel", variable, shape)


def _short(name):
    """Return a layer's and a weight's name without what versions of Keras and the author add."""
    layer, *_, weight = name.split("/")
    return f"{layer.removeprefix('instant_')}/{weight.removesuffix(':0')}"


def _numbered(kind, number):
    return f"{kind}_{number}" if number else kind
