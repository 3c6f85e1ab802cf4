"""Which weights a quantised file keeps in float32."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasep import tflite, zoo
from kerasep.tflite.forms import registry

HOP, FILTERS, UNITS = 32, 48, 24


def int8_shapes(path):
    """Return the shapes of a file's int8 tensors."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    return {tuple(each.shape) for each in tensors if each.type == schema.TensorType.INT8}


@pytest.mark.parametrize("large", [None, 1000])
def test_large_heads_and_decoders_are_quantised(monkeypatch, tmp_path, large):
    """The encoder's convolution is not, whatever its size."""
    if large:
        monkeypatch.setattr(registry, "_LARGE", large)
    model = zoo.load(
        "hs_tasnet_like",
        weights=False,
        sample_rate=8000,
        kernel_size=2 * HOP,
        filters=FILTERS,
        units=UNITS,
    )
    path = tmp_path / "model.tflite"
    tflite.export(model, path, mode="streaming", quantization="int8", check=False)
    found = int8_shapes(path)
    lstm, spectrum = (4 * UNITS, UNITS), (model.get_layer("mask_spectrum").units, UNITS)
    features, decoder = (FILTERS * 4, UNITS), (2 * HOP, FILTERS)
    assert lstm in found
    assert {spectrum, features, decoder} & found == (
        {spectrum, features, decoder} if large else set()
    )
    assert not any(np.prod(shape) == 2 * FILTERS * 2 * HOP * 2 for shape in found)
