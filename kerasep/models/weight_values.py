"""What a weight's numbers must be, whichever file they come from."""

import keras
import numpy as np

from kerasep.errors import InputError


def check(path, values):
    """Check the numbers that a model is to have.

    Args:
        path: the file that they come from, for the error.
        values: iterable of (name, variable, array): what the file or the model calls the weight,
            the Keras variable that it is for, and its numbers.

    Raises:
        InputError: for a number that is not finite in the variable's type, a variance below 0, and
            a deviation that is not above 0; names the weight.

    Example:
    >>> import keras, numpy as np
    >>> variance = keras.Variable([1.0], name="moving_variance")
    >>> check("bn.pth", [("bn.running_var", variance, np.array([-1.0]))])
    Traceback (most recent call last):
    kerasep.errors.InputError: bn.pth holds bn.running_var with a variance of -1: fetch it again
    """
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
                f"that are not finite ({wrong}): fetch it again, or train it anew"
            )
        if variable.name == "moving_variance" and (least := array.min()) < 0:
            raise InputError(f"{path} holds {name} with a variance of {least:g}: fetch it again")
        if variable.name == "deviation" and (least := array.min()) <= 0:
            raise InputError(f"{path} holds {name} with a deviation of {least:g}: fetch it again")


def check_model(path, model):
    """Check the numbers that a model has, as `check` does.

    Args:
        path: where they come from, for the error.
        model: a Keras model.

    Raises:
        InputError: as `check`.
    """
    check(path, ((w.path, w, keras.ops.convert_to_numpy(w)) for w in model.variables))
