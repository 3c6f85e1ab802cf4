"""GTCRN with its published weights as one streamed file, on a real recording."""

import os
import pathlib

import numpy as np
import pytest

from kerasep import data, importers, tflite, zoo
from kerasep.metrics import scores

WEIGHTS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))
FILE = WEIGHTS / "gtcrn" / "stream" / "onnx_models" / "model_trained_on_dns3.tar"


def streamed(runtime, waveform):
    blocks = np.split(waveform[:, None], [1000, 1007, 9000])
    return np.concatenate([*map(runtime.process, blocks), runtime.flush()])[:, 0, 0]


@pytest.mark.slow
@pytest.mark.skipif(not FILE.is_file(), reason="no published weights: set KERASEP_WEIGHTS")
def test_a_stream_equals_the_whole_recording(tmp_path):
    noisy, clean = (
        data.read(WEIGHTS / "ul_unas" / "audio" / kind / "0119.wav")[0][:, 0]
        for kind in ("noisy", "clean")
    )
    model = importers.load(zoo.load("gtcrn_like", weights=False), FILE)
    expected = model.predict(noisy[None, :, None], verbose=0)[0, :, 0, 0]
    tflite.export(model, tmp_path / "live.tflite", mode="streaming")
    runtime = tflite.StreamRuntime(tmp_path / "live.tflite")
    assert runtime.latency == model.latency == 512
    received = streamed(runtime, noisy)
    error = np.square(expected - received).sum()
    assert 10 * np.log10(np.square(expected).sum() / error) > 100

    tflite.quantize(tmp_path / "live.tflite", tmp_path / "live8.tflite", "int8")
    quantized = streamed(tflite.StreamRuntime(tmp_path / "live8.tflite"), noisy)

    def si_sdr(estimate):
        return scores(clean[:, None], estimate[:, None], ["si_sdr"])["si_sdr"]

    assert si_sdr(quantized) > si_sdr(expected) - 0.3
