"""Both orders of shift and scale."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import ShiftScale, WienerFilter


@pytest.mark.parametrize("order", ["shift_scale", "scale_shift"])
def test_formula(rng, order):
    x = rng.standard_normal((2, 3, 4)).astype("float32")
    shift, scale = rng.standard_normal((2, 4)).astype("float32")
    layer = ShiftScale(order)
    np.testing.assert_array_equal(convert_to_numpy(layer(x)), x)
    layer.shift.assign(shift)
    layer.scale.assign(scale)
    expected = (x + shift) * scale if order == "shift_scale" else x * scale + shift
    np.testing.assert_allclose(convert_to_numpy(layer(x)), expected, rtol=1e-5)


def test_refusals():
    with pytest.raises(InputError, match="order='both'"):
        ShiftScale("both")
    with pytest.raises(InputError, match="iterations=-1"):
        WienerFilter(-1)
