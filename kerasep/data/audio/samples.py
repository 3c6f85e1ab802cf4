"""Samples of any type as float32 with full scale at 1."""

import numpy as np
import numpy.typing as npt

from kerasep.errors import InputError

_SCALED = ("int8", "uint8", "int16", "int32")


def as_floats(samples: npt.ArrayLike) -> np.ndarray:
    """Return floats as float32; raises `InputError` for integers, whose full scale is unclear."""
    array = _array(samples)
    if array.dtype.kind not in "fiu":
        raise InputError(f"received audio of type {array.dtype}, expected an array of floats")
    if array.dtype.kind != "f":
        advice = "divide by the full scale"
        if array.dtype.name in _SCALED:
            shift, divisor = _offset_and_scale(array.dtype)
            advice = f"{f'subtract {shift}, then ' if shift else ''}divide by {divisor}"
        raise InputError(
            f"received {array.dtype} samples, expected floats with full scale at 1: {advice}"
        )
    return _float32(array)


def scaled(samples: npt.ArrayLike) -> np.ndarray:
    """Return floats, or the integer types of audio files, as float32 with full scale at 1."""
    array = _array(samples)
    if array.dtype.kind == "f":
        return _float32(array)
    if array.dtype.name not in _SCALED:
        raise InputError(
            f"received {array.dtype} samples, whose full scale is unknown, expected floats with "
            f"full scale at 1, or {', '.join(_SCALED)}: convert them"
        )
    shift, divisor = _offset_and_scale(array.dtype)
    return ((array.astype("float64") - shift) / divisor).astype("float32")


def _offset_and_scale(dtype):
    """Return the integers for silence and for full scale: uint8 is silent at 128, as in WAV."""
    scale = 1 << (8 * dtype.itemsize - 1)
    return (scale if dtype.kind == "u" else 0), scale


def _array(samples):
    try:
        return np.asarray(samples)
    except ValueError as error:  # lists of different lengths
        raise InputError(f"received audio that is not an array of numbers: {error}") from error


def _float32(array):
    with np.errstate(
        over="ignore"
    ):  # overflow becomes infinite, which writing and separating reject
        return array.astype("float32", copy=False)
