"""Conversion of samples of every type."""

import numpy as np
import pytest

from kerasep.data.audio.samples import as_floats, scaled
from kerasep.errors import InputError


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.int16([-32768, 0, 16384, 32767]), [-1, 0, 0.5, 32767 / 32768]),
        (np.array([-32768, 16384], ">i2"), [-1, 0.5]),
        (np.int32([-(2**31), 2**30]), [-1, 0.5]),
        (np.int8([-128, 64]), [-1, 0.5]),
        (np.uint8([0, 128, 192]), [-1, 0, 0.5]),
        (np.float16([-1, 0.5]), [-1, 0.5]),
        (np.float64([-1, 0.5, 3]), [-1, 0.5, 3]),
        ([0.25, -0.5], [0.25, -0.5]),
        (np.asfortranarray(np.int16([[0, -32768], [16384, 0]])), [[0, -1], [0.5, 0]]),
    ],
)
def test_scaled(samples, expected):
    result = scaled(samples)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.float32(expected))


@pytest.mark.parametrize(
    "samples",
    [np.zeros(3, name) for name in ("bool", "int64", "uint16", "uint32", "complex64")]
    + [[1, 2], ["a"], [[1.0], [1.0, 2.0]], None],
)
@pytest.mark.parametrize("convert", [scaled, as_floats])
def test_of_unknown_scale(samples, convert):
    with pytest.raises(InputError, match="received") as caught:
        convert(samples)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [("int16", "divide by 32768"), ("uint8", "subtract 128, then divide by 128")],
)
def test_integers_where_floats_are_wanted(dtype, words):
    with pytest.raises(InputError, match=words):
        as_floats(np.zeros(3, dtype))


def test_what_is_too_large_becomes_infinite():
    assert np.isinf(as_floats([1e300])).all()
