"""Checks of the numbers in weights, from any kind of file."""

import keras
import numpy as np

from kerasep.errors import InputError


def check(path, values):
    """Raise `InputError` for arrays of `(name, variable, array)` that no weight can have."""
    for name, variable, array in values:
        array = np.asarray(array)
        with np.errstate(over="ignore", invalid="ignore"):
            dtype = keras.backend.standardize_dtype(variable.dtype)
            if dtype in ("float16", "float32") and array.dtype != dtype:
                array = array.astype(dtype)
        if not array.size:
            continue
        finite = np.isfinite(array)
        if not finite.all():
            wrong = array[~finite][0]
            raise InputError(
                f"{path} holds {name} with {array.size - finite.sum()} of {array.size} numbers "
                f"that are not finite ({wrong}): fetch it again, or train it again"
            )
        if variable.name == "moving_variance" and (least := array.min()) < 0:
            raise InputError(f"{path} holds {name} with a variance of {least:g}: fetch it again")
        if variable.name == "deviation" and (least := array.min()) <= 0:
            raise InputError(f"{path} holds {name} with a deviation of {least:g}: fetch it again")


def check_model(path, model):
    """Raise `InputError` for weights of a model that are not finite, or deviations below 0."""
    check(path, ((w.path, w, keras.ops.convert_to_numpy(w)) for w in model.variables))
