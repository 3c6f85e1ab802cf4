"""Arrays of samples of any type, as float32 with full scale at 1."""

import numpy as np

from kerasep.errors import InputError

_SCALED = ("int8", "uint8", "int16", "int32")


def as_floats(samples):
    """Return floats as float32, and refuse all else: whole numbers have no certain full scale.

    Args:
        samples: array, or nested lists of floats.

    Returns:
        Float32 array of the same shape; the same array where it is one.

    Raises:
        InputError: for integers, booleans, complex numbers, or lists that are no array.

    Example:
    >>> as_floats([0.0, 0.5]).dtype
    dtype('float32')
    """
    array = _array(samples)
    if array.dtype.name in _SCALED:
        divisor = 1 << (8 * array.dtype.itemsize - 1)
        first = f"subtract {divisor}, then " if array.dtype.kind == "u" else ""
        raise InputError(
            f"received {array.dtype} samples, expected floats with full scale at 1: {first}divide "
            f"by {divisor}"
        )
    if array.dtype.kind in "iu":
        raise InputError(
            f"received {array.dtype} samples, expected floats with full scale at 1: divide by the "
            "full scale"
        )
    if array.dtype.kind != "f":
        raise InputError(f"received audio of type {array.dtype}, expected an array of floats")
    return _float32(array)


def scaled(samples):
    """Return samples of an integer type that audio files have, or floats, as float32.

    Args:
        samples: array or nested lists: floats, or int16, int32, int8 (full scale at their most
            negative number) or uint8 (silence at 128, as in WAV files).

    Returns:
        Float32 array of the same shape, full scale at 1.

    Raises:
        InputError: for another type, whose full scale nobody knows.

    Example:
    >>> scaled(np.int16([-32768, 16384])).tolist()
    [-1.0, 0.5]
    """
    array = _array(samples)
    if array.dtype.kind == "f":
        return _float32(array)
    if array.dtype.name not in _SCALED:
        raise InputError(
            f"received {array.dtype} samples, whose full scale is unknown, expected floats with "
            f"full scale at 1, or {', '.join(_SCALED)}: convert them"
        )
    divisor = 1 << (8 * array.dtype.itemsize - 1)
    shift = divisor if array.dtype.kind == "u" else 0
    return ((array.astype("float64") - shift) / divisor).astype("float32")


def _array(samples):
    try:
        return np.asarray(samples)
    except ValueError as error:  # lists of different lengths
        raise InputError(f"received audio that is no array of numbers: {error}") from error


def _float32(array):
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        return array.astype("float32", copy=False)
