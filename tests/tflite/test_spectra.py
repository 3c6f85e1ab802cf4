import keras
import numpy as np
import pytest

from kerasep.layers import Magnitude, WienerFilter
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.parity import agreement


@pytest.mark.parametrize(("iterations", "forms"), [(0, 2), (1, 1)])
def test_forms_equal_the_layers_at_silence_too(iterations, forms):
    spectrum = keras.Input((7, 5, 2, 2))
    estimates = keras.Input((7, 5, 2, 3))
    outputs = [Magnitude()(spectrum), WienerFilter(iterations)(spectrum, estimates)]
    model = keras.Model([spectrum, estimates], outputs)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 7, 5, 2, 2)).astype("float32")
    x[:, 3] = 0
    levels = rng.random((1, 7, 5, 2, 3)).astype("float32")
    levels[:, 3] = 0
    expected = model([x, levels])
    with export_forms(model) as layers:
        received = model([x, levels])
    assert len(layers) == forms
    for a, b in zip(expected, received, strict=True):
        assert agreement(a, b)[0] >= 110
