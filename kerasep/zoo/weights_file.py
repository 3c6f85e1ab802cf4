"""Keras' files of weights: compared with the model before they are read, checked after it."""

import collections
import os
import warnings

import keras

from kerasep.errors import InputError
from kerasep.files import hdf5_headers
from kerasep.models import weight_values
from kerasep.models.building import first_line


def load(model: keras.Model, path: str | os.PathLike, name: object = None) -> None:
    """Set a model's weights from a `.weights.h5` file, called `name` in errors; all or none."""
    name = name or path
    compare(name, model, hdf5_headers.shapes(path, name))
    before = model.get_weights()
    complete = False
    try:
        set_checked(model, path, name)
        complete = True
    finally:
        if not complete:
            model.set_weights(before)


def set_checked(model: keras.Model, path: str | os.PathLike, name: object) -> None:
    """Set a model's weights from a file that `compare` accepted; after an error they are mixed."""
    expected = f"expected weights of {model.name} with the same arguments"
    try:
        # Keras only warns if it leaves weights as they were. An error in the place of the warning
        # would leave the file open.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.load_weights(path)
    except hdf5_headers.MALFORMED as error:
        raise InputError(f"received weights {name}, {expected}: {first_line(error)}") from error
    if any(issubclass(warning.category, UserWarning) for warning in caught):
        raise InputError(f"received weights {name}, {expected}")
    weight_values.check_model(name, model)


def compare(path: object, model: keras.Model, shapes: dict[str, tuple]) -> None:
    """Raise an error if a weight of the model has no array of its shape among a file's `shapes`.

    The model's weights need no values yet. The file may hold more, such as an optimizer's.
    """
    unused = collections.Counter(shapes.values())
    missing = []
    for weight in model.weights:
        shape = tuple(weight.shape)
        unused[shape] -= 1
        if unused[shape] < 0:
            missing.append(f"{weight.path} {shape}")
    if missing:
        raise InputError(
            f"received weights {path}, expected weights of {model.name} with the same arguments: "
            f"the file has no array of the shape of {len(missing)} of {len(model.weights)}, "
            f"such as {missing[0]}"
        )
