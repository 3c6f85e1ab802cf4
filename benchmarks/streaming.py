"""Times a step of streamed models, as a share of the audio that it takes.

    python benchmarks/streaming.py --models open_unmix_like/causal tasnet_like/lstm

Each model is exported once (random weights), and its weights are quantised from that file. A file
runs in the Python interpreter, on one thread, with noise; float32 and int8 take turns in rounds.
`step1` is one hop, `step` the larger one. Times are the median and the best of all runs.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

import machine
import numpy as np

import kerasep
from kerasep import tflite
from kerasep.tflite.format.metadata import parse_metadata
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.quantization import quantize_weights

RESULTS = pathlib.Path(__file__).parent / "results" / "streaming.csv"
MODELS = {
    "open_unmix_like/causal": {"sources": ["vocals"]},
    "mask_inference_like/enhancement": {},
    "tasnet_like/lstm": {},
    "conv_tasnet_like/causal": {},
    "dprnn_like/causal": {},
    "hs_tasnet_like/full": {},
    "hs_tasnet_like/small": {},
    "gtcrn_like": {},
    "ul_unas_like": {},
}


def exported(name, folder):
    """Bytes of a model's file, by quantisation."""
    path = pathlib.Path(folder) / "model.tflite"
    model = kerasep.zoo.load(name, **MODELS[name])
    tflite.export(model, path, mode="streaming", check=False, overwrite=True)
    content = path.read_bytes()
    return {"float32": content, "int8": quantize_weights(content, "int8")}


def timed(run, about, signature, state, runs):
    """Seconds of each of several steps in a row."""
    samples = about["step"] if signature == "step" else about["hop"]
    rng = np.random.default_rng(0)
    mixture = 0.1 * rng.standard_normal((1, samples, about["channels"])).astype("float32")
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        state = run(signature, mixture=mixture, state=state)["state"]
        times.append(time.perf_counter() - begun)
    return times


def measure(name, arguments, folder):
    """Rows of a model."""
    contents = exported(name, folder)
    about = parse_metadata(contents["float32"])
    loaded = {kind: Interpreter(content, threads=1) for kind, content in contents.items()}
    times = {}
    for _ in range(arguments.rounds + 1):  # the first to warm up
        for kind, run in loaded.items():
            for signature in ("step1", "step"):
                state = run("reset")["state"]
                found = timed(run, about, signature, state, arguments.runs)
                times.setdefault((kind, signature), []).append(found)
    rows = []
    for (kind, signature), rounds in times.items():
        seconds = [value for found in rounds[1:] for value in found]
        samples = about["step"] if signature == "step" else about["hop"]
        audio = samples / about["sample_rate"]
        rows.append(
            {
                "model": name,
                "sources": len(about["sources"]),
                "weights": kind,
                "megabytes": round(len(contents[kind]) / 1e6, 1),
                "signature": signature,
                "audio_ms": round(1000 * audio, 2),
                "median_ms": round(1000 * statistics.median(seconds), 3),
                "median_percent": round(100 * statistics.median(seconds) / audio, 2),
                "best_ms": round(1000 * min(seconds), 3),
                "best_percent": round(100 * min(seconds) / audio, 2),
                "latency_ms": round(1000 * about["latency"] / about["sample_rate"], 1),
                "state_numbers": about["state"],
                "threads": 1,
                "rounds": arguments.rounds,
                "runs": arguments.runs,
                **machine.describe("kerasep", "keras", "tensorflow", "ai-edge-litert"),
            }
        )
        print(", ".join(str(value) for value in list(rows[-1].values())[:12]), flush=True)
    return rows


def main():
    """Measure model by model, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=40, help="timed steps in a row")
    parser.add_argument("--out", default=RESULTS)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.models:
            rows += measure(name, arguments, folder)
            machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
