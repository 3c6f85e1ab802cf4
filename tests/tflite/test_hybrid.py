"""HTDemucs as a file: its own chunk, and what every one of its layers computes."""

import numpy as np
import pytest

import kerasep
from kerasep.models import HTDemucsLike


@pytest.mark.slow
def test_a_file_of_the_models_own_chunk(tmp_path):
    model = HTDemucsLike(
        ["vocals", "drums"],
        8000,
        n_fft=128,
        filters=8,
        levels=1,
        compression=4,
        bottleneck=16,
        transformer_layers=2,
        heads=2,
        expansion=2,
        chunk_seconds=0.25,
    )
    # Residual branches that count.
    for weight in model.weights:
        if weight.path.endswith("scale/scale"):
            weight.assign(np.full(weight.shape, 0.5))
    report = kerasep.tflite.export(model, tmp_path / "small.tflite")
    assert report.snr_db > 100
    runtime = kerasep.tflite.Runtime(tmp_path / "small.tflite")
    assert (runtime.chunk, runtime.channels) == (2000, 2)
