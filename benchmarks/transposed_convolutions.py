"""Time exported U-Nets, and single layers, with transposed convolutions in TFLite's and our form.

    python benchmarks/transposed_convolutions.py --rounds 15

Both files have the same weights and are run in turn, in one process, on random magnitudes; their
outputs are compared. The form is that of `kerasep.tflite.forms.transposed`.
"""

import argparse
import pathlib
import statistics
import time

import keras
import machine
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kerasep.models import SpleeterLike, UNetLike
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.registry import export_forms

RESULTS = pathlib.Path(__file__).parent / "results" / "transposed_convolutions.csv"
# Kernel, stride, shape of the input, channels of the output.
LAYERS = [
    (5, 2, (1, 64, 64, 128), 32),
    (5, 2, (1, 256, 256, 16), 1),
    (5, 2, (1, 8, 16, 512), 256),
    (4, 2, (1, 64, 64, 128), 32),
    (3, 2, (1, 64, 64, 128), 32),
    (2, 2, (1, 64, 64, 128), 32),
    (5, 4, (1, 32, 32, 128), 32),
    (8, 4, (1, 32, 32, 64), 32),
    ((8, 1), (4, 1), (1, 64, 64, 96), 48),
]


def cases():
    """Yield name, model and shape of its input."""
    yield "unet_like, a source, 128 frames", UNetLike(["vocals"]), (1, 128, 513, 1)
    yield "spleeter_like, a stem, a segment", SpleeterLike(["vocals"]), (1, 510, 2049, 2)
    for size, stride, shape, filters in LAYERS:
        x = keras.Input(shape[1:], batch_size=1)
        layer = keras.layers.Conv2DTranspose(filters, size, stride, "same")
        name = f"kernel {size}, stride {stride}, {shape[1:]} to {filters} channels"
        yield name, keras.Model(x, layer(x)), shape


def files(model, shape):
    """Return both files of a model."""

    def function(x):
        return {"y": model(x, training=False)}

    theirs, _ = convert(model, function, x=shape)
    with export_forms(model):
        ours, _ = convert(model, function, x=shape)
    return theirs, ours


def measure(contents, x, rounds, threads):
    """Run both in turn; return the times in ms and the output of each."""
    runners = [Interpreter(model_content=content, num_threads=threads) for content in contents]
    times, outputs = [[] for _ in runners], []
    for runner in runners:
        runner.allocate_tensors()
        runner.set_tensor(runner.get_input_details()[0]["index"], x)
        runner.invoke()
        outputs.append(runner.get_tensor(runner.get_output_details()[0]["index"]))
    for _ in range(rounds):
        for runner, found in zip(runners, times, strict=True):
            start = time.perf_counter()
            runner.invoke()
            found.append(1e3 * (time.perf_counter() - start))
    return times, outputs


def main():
    """Measure all, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    about = machine.describe("kerasep", "tensorflow", "ai-edge-litert")
    rows = []
    for name, model, shape in cases():
        contents = files(model, shape)
        x = np.random.default_rng(0).random(shape, "float32")
        for threads in (1, 2):
            times, (theirs, ours) = measure(contents, x, rounds, threads)
            medians = [statistics.median(found) for found in times]
            rows.append(
                {
                    "case": name,
                    "threads": threads,
                    "transpose_conv_ms": round(medians[0], 2),
                    "plain_form_ms": round(medians[1], 2),
                    "times_faster": round(medians[0] / medians[1], 2),
                    "times_faster_best": round(min(times[0]) / min(times[1]), 2),
                    "max_relative_difference": f"{np.abs(ours - theirs).max() / theirs.max():.1e}",
                    "transpose_conv_mb": round(len(contents[0]) / 1e6, 2),
                    "plain_form_mb": round(len(contents[1]) / 1e6, 2),
                    "rounds": rounds,
                    **about,
                }
            )
            print(rows[-1]["case"], threads, rows[-1]["times_faster"])
    machine.write_csv(RESULTS, rows)


if __name__ == "__main__":
    main()
