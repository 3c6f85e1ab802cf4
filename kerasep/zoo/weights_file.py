"""Keras' files of weights, compared with a model before a number is read, and checked after it."""

import collections
import warnings

from kerasep.errors import InputError
from kerasep.models import weight_values
from kerasep.models.building import first_line
from kerasep.zoo import hdf5_headers


def load(model, path, name=None):
    """Set a model's weights from a file; on an error they stay as they were.

    Args:
        model: a built model.
        path: a `.weights.h5` file.
        name: what errors call it. Default: the path.

    Raises:
        InputError: as `hdf5_headers.shapes` and `compare`, for another model's weights, and as
            `weight_values.check`.

    Example:
    ```python
    import keras
    from kerasep.zoo import weights_file

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save_weights("dense.weights.h5")
    weights_file.load(model, "dense.weights.h5")
    ```
    """
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


def set_checked(model, path, name):
    """Set a model's weights from a file whose shapes were compared.

    Args:
        model: a built model.
        path: a `.weights.h5` file.
        name: what errors call it.

    Raises:
        InputError: as `load`; the model is of no use then.
    """
    expected = f"expected weights of {model.name} with the same arguments"
    try:
        # Keras only warns where it leaves weights as they were. An error in the place of the
        # warning would leave the file open.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.load_weights(path)
    except hdf5_headers.MALFORMED as error:
        raise InputError(f"received weights {name}, {expected}: {first_line(error)}") from error
    if any(issubclass(warning.category, UserWarning) for warning in caught):
        raise InputError(f"received weights {name}, {expected}")
    weight_values.check_model(name, model)


def compare(path, model, held):
    """Compare a file's shapes with those that a model needs.

    Args:
        path: what the error calls the file.
        model: a model, whose weights may have no values yet.
        held: dict from `hdf5_headers.shapes`. What an optimizer needs may lie there too.

    Raises:
        InputError: if a weight of the model has no array of its shape in the file.
    """
    left = collections.Counter(held.values())
    missing = []
    for weight in model.weights:
        shape = tuple(weight.shape)
        left[shape] -= 1
        if left[shape] < 0:
            missing.append(f"{weight.path} {shape}")
    if missing:
        raise InputError(
            f"received weights {path}, expected weights of {model.name} with the same arguments: "
            f"the file has no array of the shape of {len(missing)} of {len(model.weights)}, "
            f"such as {missing[0]}"
        )
