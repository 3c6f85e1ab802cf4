"""Times models that clean speech in real time, beside the files that their authors publish.

    KERASEP_WEIGHTS=weights python benchmarks/live_speech.py

Every model of `MODELS` has the authors' weights, and is exported for streaming in float32 and int8.
All files run in Python on one thread, block by block, and take turns in rounds. Times are the
processor's, of a block in the median and at best. SI-SDR is that of a real noisy recording of ten
seconds, which measures 7.48 dB itself. The authors' ONNX files run where onnxruntime is installed.
"""

import argparse
import importlib.util
import os
import pathlib
import statistics
import tempfile
import time

import machine
import numpy as np
from ai_edge_litert.interpreter import Interpreter as LiteRT

import kerasep
from kerasep import importers
from kerasep.metrics import scores
from kerasep.tflite.format.metadata import parse_metadata
from kerasep.tflite.interpreter import Interpreter

RESULTS = pathlib.Path(__file__).parent / "results" / "live_speech.csv"
RATE = 16000
PACKAGES = ["kerasep", "keras", "tensorflow", "ai-edge-litert"]
if importlib.util.find_spec("onnxruntime"):
    PACKAGES.append("onnxruntime")


class Ours:
    """A file of kerasep, by one of its signatures, after some samples of silence."""

    def __init__(self, path, signature, silence):
        content = path.read_bytes()
        about = parse_metadata(content)
        self.megabytes = len(content) / 1e6
        self.samples = about["step" if signature == "step" else "hop"]
        self.lead = silence + about["lead"]
        self.late = about["skip"] - about["lead"]
        self.signature = signature
        self.run = Interpreter(content, threads=1)
        self.state = self.run("reset")["state"]

    def __call__(self, block):
        """Return the speech for a block `(samples,)`."""
        result = self.run(self.signature, mixture=block[None, :, None], state=self.state)
        self.state = result["state"]
        return result["sources"][0, :, 0, 0]


class DTLN:
    """The author's two files; the transform between them is NumPy's, as in his script."""

    samples, late, lead = 128, 384, 0

    def __init__(self, folder):
        paths = [folder / f"model_{number}.tflite" for number in (1, 2)]
        self.megabytes = sum(path.stat().st_size for path in paths) / 1e6
        self.parts = [LiteRT(str(path), num_threads=1) for path in paths]
        for part in self.parts:
            part.allocate_tensors()
        self.states = [np.zeros((1, 2, 128, 2), "float32") for _ in paths]
        self.frame, self.total = np.zeros((2, 512), "float32")

    def _part(self, number, values):
        part = self.parts[number]
        for tensor in part.get_input_details():
            value = self.states[number] if len(tensor["shape"]) == 4 else values[None, None]
            part.set_tensor(tensor["index"], value.astype("float32"))
        part.invoke()
        for tensor in part.get_output_details():
            if len(tensor["shape"]) == 4:
                self.states[number] = part.get_tensor(tensor["index"])
            else:
                result = part.get_tensor(tensor["index"]).ravel()
        return result

    def __call__(self, block):
        """Return the speech for a block `(samples,)`."""
        self.frame = np.concatenate([self.frame[self.samples :], block])
        spectrum = np.fft.rfft(self.frame)
        frame = self._part(1, np.fft.irfft(spectrum * self._part(0, np.abs(spectrum))))
        self.total = np.pad(self.total[self.samples :], (0, self.samples)) + frame
        return self.total[: self.samples]


class FrameNetwork:
    """An ONNX file that filters the spectrum of a frame; the transforms around it are NumPy's."""

    samples, late, lead = 256, 256, 0

    def __init__(self, path, window):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)
        self.megabytes = path.stat().st_size / 1e6
        self.names = [tensor.name for tensor in self.session.get_inputs()]
        self.state = [np.zeros(x.shape, "float32") for x in self.session.get_inputs()[1:]]
        self.window = window
        self.gain = window[:256] ** 2 + window[256:] ** 2
        self.past, self.tail = np.zeros((2, 256), "float32")

    def __call__(self, block):
        """Return the speech for a block `(samples,)`."""
        spectrum = np.fft.rfft(np.concatenate([self.past, block]) * self.window)
        parts = np.stack([spectrum.real, spectrum.imag], -1)[None, :, None].astype("float32")
        inputs = dict(zip(self.names, [parts, *self.state], strict=True))
        parts, *self.state = self.session.run(None, inputs)
        frame = np.fft.irfft(parts[0, :, 0, 0] + 1j * parts[0, :, 0, 1]) * self.window
        speech = (self.tail + frame[:256]) / self.gain
        self.past, self.tail = block, frame[256:]
        return speech


def exported(name, checkpoint, folder, silence=0):
    """Yield (what, how, runner) of our files of a model."""
    model = importers.load(kerasep.zoo.load(name, weights=False), checkpoint)
    paths = {kind: pathlib.Path(folder) / f"{kind}.tflite" for kind in ("float32", "int8")}
    kerasep.tflite.export(model, paths["float32"], mode="streaming")
    kerasep.tflite.quantize(paths["float32"], paths["int8"], "int8")
    for kind, path in paths.items():
        for signature in ("step1", "step"):
            yield f"kerasep, {kind}", signature, Ours(path, signature, silence)


def dtln(weights, folder):
    """Yield (what, how, runner) of DTLN's files."""
    # Its author's files start with frames that are partly empty.
    yield from exported("dtln_like", weights / "dtln" / "model.h5", folder, silence=384)
    yield "model_1.tflite, model_2.tflite", "with NumPy's FFT", DTLN(weights / "dtln")


def gtcrn(weights, folder):
    """Yield (what, how, runner) of GTCRN's files."""
    files = weights / "gtcrn" / "stream" / "onnx_models"
    yield from exported("gtcrn_like", files / "model_trained_on_dns3.tar", folder)
    yield from in_onnx(files / "gtcrn_simple.onnx", np.sqrt(np.hanning(513)[:-1]))


def ul_unas(weights, folder):
    """Yield (what, how, runner) of UL-UNAS's files."""
    files = weights / "ul_unas"
    checkpoint = files / "checkpoints" / "model_trained_on_dns3.tar"
    yield from exported("ul_unas_like", checkpoint, folder)
    path = files / "ulunas_onnx" / "onnx_models" / "ulunas_stream_simple.onnx"
    yield from in_onnx(path, np.hanning(513)[:-1])


def in_onnx(path, window):
    """Yield (what, how, runner) of an author's ONNX file, if it can run here."""
    if importlib.util.find_spec("onnxruntime"):
        yield path.name, "with NumPy's FFT", FrameNetwork(path, window)


# name of the preset -> function of the weights' folder and one for files that yields runners
MODELS = {"dtln_like/dtln": dtln, "gtcrn_like/gtcrn": gtcrn, "ul_unas_like/ul_unas": ul_unas}


def blocks(runner, signal):
    """Cut a signal into the blocks that a runner takes."""
    count = len(signal) // runner.samples
    return np.split(signal[: count * runner.samples], count)


def si_sdr(runner, clip):
    """SI-SDR of the cleaned recording in dB."""
    signal = np.pad(clip["x"], (runner.lead, 1024))
    speech = np.concatenate([runner(block) for block in blocks(runner, signal)])
    speech = speech[runner.lead + runner.late :][: len(clip["clean"])]
    return scores(clip["clean"][:, None], speech[:, None], ["si_sdr"])["si_sdr"]


def measure(name, arguments, clip, folder):
    """Return the rows of a model."""
    found = list(MODELS[name](arguments.weights, folder))
    ratios = [si_sdr(runner, clip) for *_, runner in found]
    times = [[] for _ in found]
    for number in range(arguments.rounds + 1):
        for (*_, runner), taken in zip(found, times, strict=True):
            for block in blocks(runner, clip["x"][: RATE * arguments.seconds]):
                begun = time.process_time()
                runner(block)
                if number:  # the first round warms up
                    taken.append(time.process_time() - begun)
    rows = []
    for (what, how, runner), taken, ratio in zip(found, times, ratios, strict=True):
        audio = runner.samples / RATE
        rows.append(
            {
                "model": name,
                "file": what,
                "run": how,
                "megabytes": round(runner.megabytes, 2),
                "audio_ms": round(1000 * audio, 1),
                "median_ms": round(1000 * statistics.median(taken), 3),
                "median_percent": round(100 * statistics.median(taken) / audio, 2),
                "best_percent": round(100 * min(taken) / audio, 2),
                "si_sdr": round(ratio, 2),
                "blocks": len(taken),
                **machine.describe(*PACKAGES),
            }
        )
        print(", ".join(str(value) for value in list(rows[-1].values())[:9]), flush=True)
    return rows


def main():
    """Measure model by model, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--weights", default=os.environ.get("KERASEP_WEIGHTS"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of audio in a round")
    parser.add_argument("--out", default=RESULTS)
    arguments = parser.parse_args()
    arguments.weights = pathlib.Path(arguments.weights or "")
    rows = []
    with np.load(arguments.weights / "golden" / "dtln_model_tflite_on_dns_0119.npz") as file:
        clip = dict(file)
    for name in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            rows += measure(name, arguments, clip, folder)
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
