"""DTLN's own weights on real recordings: the numbers of its author's TFLite files."""

import functools
import os
import pathlib

import keras
import numpy as np
import pytest

import kerasep
from kerasep.importers import dtln
from kerasep.metrics import scores
from kerasep.tflite.interpreter import Interpreter

WEIGHTS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))
LEAD = 384  # zeros in front of a recording, so that its first samples are in four frames too
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (WEIGHTS / "dtln").is_dir(),
        reason="no published weights: set KERASEP_WEIGHTS to the folder of dtln and golden",
    ),
]
TENSORFLOW = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")


@functools.cache
def model():
    return dtln.load(kerasep.zoo.load("dtln_like", weights=False), WEIGHTS / "dtln" / "model.h5")


@functools.cache
def clip(name):
    """Noisy speech `x`, the author's output `y`, `LEAD` samples late, and `clean` if known."""
    with np.load(WEIGHTS / "golden" / f"dtln_model_tflite_on_{name}.npz") as file:
        return dict(file)


def agreement(expected, received):
    """How far the difference is below a signal, in dB."""
    return 10 * np.log10(np.square(expected).sum() / np.square(expected - received).sum())


def offline(x):
    """The speech of a recording, `LEAD` samples late."""
    padded = np.pad(x, (LEAD, LEAD))
    return model().predict_on_batch(padded[None, :, None])[0, :, 0, 0]


@pytest.mark.parametrize("name", ["dns_0119", "gtcrn_mix"])
def test_the_author_s_output_of_real_recordings(name):
    expected = clip(name)["y"]
    whole = len(expected) // 128 * 128 - LEAD
    assert agreement(expected[:whole], offline(clip(name)["x"])[:whole]) > 110


def test_the_author_s_two_files_side_by_side():
    """The golden outputs were not made by ours: the files themselves give them again."""
    x = clip("dns_0119")["x"][: 128 * 200]
    received = offline(x)[: len(x)]
    assert agreement(two_part(x), received) > 110


def two_part(x):
    """Run the author's files as the published script does, block by block."""
    first, second = (
        _Part(WEIGHTS / "dtln" / f"model_{number}.tflite", size)
        for number, size in ((1, 257), (2, 512))
    )
    frame, total, outputs = np.zeros(512, "float32"), np.zeros(512, "float32"), []
    for block in np.split(x, len(x) // 128):
        frame = np.concatenate([frame[128:], block])
        spectrum = np.fft.rfft(frame)
        cleaned = np.fft.irfft(spectrum * first(np.abs(spectrum)))
        total = np.concatenate([total[128:], np.zeros(128, "float32")]) + second(cleaned)
        outputs.append(total[:128])
    return np.concatenate(outputs)


class _Part:
    """One of the two files, with its state."""

    def __init__(self, path, size):
        from ai_edge_litert.interpreter import Interpreter as Runtime

        self.run = Runtime(str(path), num_threads=1)
        self.run.allocate_tensors()
        self.size = size
        self.state = np.zeros((1, 2, 128, 2), "float32")

    def __call__(self, values):
        for tensor in self.run.get_input_details():
            state = len(tensor["shape"]) == 4
            value = self.state if state else values.reshape(1, 1, self.size)
            self.run.set_tensor(tensor["index"], value.astype("float32"))
        self.run.invoke()
        for tensor in self.run.get_output_details():
            value = self.run.get_tensor(tensor["index"])
            if len(tensor["shape"]) == 4:
                self.state = value
            else:
                result = value.ravel()
        return result


def si_sdr(estimate):
    return scores(clip("dns_0119")["clean"][:, None], estimate[:, None], ["si_sdr"])["si_sdr"]


def test_real_speech_is_cleaned():
    assert abs(si_sdr(clip("dns_0119")["x"]) - 7.48) < 0.01
    assert abs(si_sdr(offline(clip("dns_0119")["x"])[LEAD:-LEAD]) - 13.49) < 0.01


@pytest.mark.parametrize("name", ["norm_40h", "norm_500h"])
def test_the_normalised_networks_clean_it_too(name):
    path = WEIGHTS / "dtln" / f"DTLN_{name}.h5"
    normalised = dtln.load(kerasep.zoo.load(f"dtln_like/{name}", weights=False), path)
    x = np.pad(clip("dns_0119")["x"], (LEAD, LEAD))
    speech = normalised.predict_on_batch(x[None, :, None])[0, LEAD:-LEAD, 0, 0]
    assert si_sdr(speech) > 12


@TENSORFLOW
@pytest.mark.parametrize(("quantization", "least", "loss"), [(None, 110, 0.001), ("int8", 35, 0.1)])
def test_one_file_streams_what_keras_separates(quantization, least, loss, tmp_path):
    path = tmp_path / "live.tflite"
    kerasep.tflite.export(model(), path, mode="streaming", quantization=quantization, check=False)
    assert [*Interpreter(path.read_bytes()).signatures] == ["reset", "step", "step1"]
    x = clip("dns_0119")["x"]
    stream = kerasep.tflite.StreamRuntime(path)
    assert stream.latency == model().latency == 512
    blocks = [stream.process(block[:, None]) for block in np.split(x, range(999, len(x), 999))]
    speech = np.concatenate([*blocks, stream.flush()])[:, 0, 0]
    whole = model().predict_on_batch(x[None, :, None])[0, :, 0, 0]
    assert agreement(whole, speech) > least
    assert si_sdr(speech) > si_sdr(whole) - loss
