"""Time exported files of every zoo entry, by quantisation, beside the originals in PyTorch.

    python benchmarks/tflite_files.py --rounds 3

It needs torch and the original packages (`--no-deps`) beside kerasep with TensorFlow and LiteRT.
Weights are random: they take as long as trained ones. Each file separates one chunk of noise.
PyTorch runs the same network on the same length, in float32 and, for int8 files, with linear and
recurrent layers in dynamic int8. Files and originals use the same number of threads. Each
measurement is a fresh process, and the result is the median of the rounds' medians.
"""

import argparse
import importlib
import json
import pathlib
import statistics
import sys
import tempfile

import entries
import fresh_process
import machine
import numpy as np
import originals
import zoo_speed

RESULTS = pathlib.Path(__file__).parent / "results" / "tflite_files.csv"
# Weights of files, and what they are compared with.
PYTORCH = {"float32": "PyTorch float32", "float16": "PyTorch float32", "int8": "PyTorch int8"}


def open_unmix_separator():
    """Build Open-Unmix's own separator of four stems, without its Wiener filter, like our file."""
    names = ("vocals", "drums", "bass", "other")
    targets = {name: originals.openunmix(**entries.UMX) for name in names}
    return importlib.import_module("openunmix.model").Separator(targets, niter=0)


def network_of(entry):
    """Return the original that `zoo_speed.py` compares with, and its changes of our preset."""
    item = zoo_speed.ENTRIES[entry]
    return {
        "original": item["original"],
        "run": item["run"],
        "overrides": item.get("overrides", {}),
    }


# Files: the preset; for some the mode of the export, the original, and what differs of the preset.
FILES = {
    "chimera_like/chimera++": {},
    "conditioned_unet_like/simple": {},
    "conv_tasnet_like/speech": network_of("conv_tasnet_like/speech"),
    "deep_attractor_like/speech": {},
    "deep_clustering_like/speech": {},
    "demucs_like/light": network_of("demucs_like/light"),
    "dprnn_like/k16": network_of("dprnn_like/k16"),
    "hs_tasnet_like/full": {},
    "mask_inference_like/speech": {"mode": "mask", **network_of("mask_inference_like/speech")},
    "mdx_net_like/tiny": {},
    "mdx_net_like/vocals_g32": {},
    "open_unmix_like/umxhq": {"mode": "mask", **network_of("open_unmix_like/umxhq")},
    "open_unmix_like/umxhq, four stems": {
        "original": open_unmix_separator,
        "run": lambda network, x: network(x.permute(0, 2, 1)),
    },
    "spleeter_like/2stems": {},
    "tasnet_like/blstm": {},
    "unet_like/singing": {},
    "wave_unet_like/small": {},
    "wavenet_like/singing": {},
}


def write_files(folder, name, seconds):
    """Export one preset in each quantisation, and write noise of the shape that it takes."""
    from kerasep import tflite, zoo
    from kerasep.tflite.quantization import quantize_weights

    item = FILES[name]
    model = zoo.load(name.split(",")[0], **item.get("overrides", {}))
    path, mode = folder / "float32.tflite", item.get("mode", "separate")
    report = tflite.export(model, path, mode=mode, seconds=seconds, check=False)
    for kind in list(PYTORCH)[1:]:
        path.with_name(f"{kind}.tflite").write_bytes(quantize_weights(path.read_bytes(), kind))
    [(inputs, _)] = report.signatures.values()
    [shape] = inputs.values()
    # Positive, so that it may be a magnitude.
    noise = np.abs(0.1 * np.random.default_rng(0).standard_normal(shape))
    np.save(folder / "noise.npy", noise.astype("float32"))


def file_engine(path, x, threads):
    """Return a function that runs a file."""
    from kerasep.tflite.interpreter import Interpreter

    run = Interpreter(path.read_bytes(), threads)
    [(signature, (inputs, _))] = run.signatures.items()
    [name] = inputs
    return lambda: run(signature, **{name: x})


def torch_engine(name, kind, x, threads):
    """Return a function that runs the original."""
    import torch

    torch.set_num_threads(threads)
    item = FILES[name]
    network, x = item["original"]().eval(), torch.from_numpy(x)
    if kind == "PyTorch int8":
        layers = {torch.nn.Linear, torch.nn.LSTM}
        network = torch.ao.quantization.quantize_dynamic(network, layers, torch.qint8)
        # Asteroid asks its LSTMs for what quantised ones need not do and do not have.
        torch.ao.nn.quantized.dynamic.LSTM.flatten_parameters = lambda self: None

    def run():
        with torch.inference_mode():
            return item["run"](network, x)

    return run


def work(folder, name, kind, threads, runs):
    """Return the times of single runs in ms."""
    x = np.load(folder / "noise.npy")
    if kind in PYTORCH:
        run = file_engine(folder / f"{kind}.tflite", x, threads)
    else:
        run = torch_engine(name, kind, x, threads)
    return zoo_speed.timed(run, runs)


def measure(folder, name, kind, threads, runs):
    """Time one file or original in a fresh process."""
    command = [sys.executable, __file__, "--worker", name, kind, "--folder", str(folder)]
    return fresh_process.measured(
        f"{name}, {kind}",
        [*command, "--threads", str(threads), "--runs", str(runs)],
        TF_CPP_MIN_LOG_LEVEL="3",
        OMP_NUM_THREADS=str(threads),
    )


def table(folder, name, found, arguments):
    """Return the rows of a preset."""
    medians = {
        key: statistics.median(statistics.median(times) for times in rounds)
        for key, rounds in found.items()
    }
    described = machine.describe("kerasep", "tensorflow", "ai-edge-litert", "torch")
    rows = []
    for (kind, threads), median in medians.items():
        original = medians.get((PYTORCH.get(kind, kind), threads))
        path = folder / f"{kind}.tflite"
        rows.append(
            {
                "file": name,
                "mode": FILES[name].get("mode", "separate"),
                "weights": kind,
                "threads": threads,
                "median_ms": round(median, 1),
                "best_ms": round(min(map(min, found[kind, threads])), 1),
                "times_as_fast_as_pytorch": original and round(original / median, 2),
                "real_time": round(median / 1000 / arguments.seconds, 4),
                "megabytes": round(path.stat().st_size / 1e6, 1) if path.is_file() else None,
                "audio_seconds": arguments.seconds,
                "rounds": arguments.rounds,
                "runs": arguments.runs,
                **described,
            }
        )
        print(", ".join(str(value) for value in list(rows[-1].values())[:9]), flush=True)
    return rows


def main():
    """Measure file by file, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=list(FILES), help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3, help="timed runs in a process")
    parser.add_argument("--seconds", type=float, default=6.0, help="of audio")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        [threads] = arguments.threads
        print(json.dumps(work(arguments.folder, *arguments.worker, threads, arguments.runs)))
        return
    rows = []
    for name in arguments.files:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            write_files(folder, name, arguments.seconds)
            originals_too = sorted(set(PYTORCH.values())) if "original" in FILES[name] else []
            kinds = [*PYTORCH, *originals_too]
            found = {(kind, threads): [] for threads in arguments.threads for kind in kinds}
            for _ in range(arguments.rounds):
                for (kind, threads), rounds in found.items():
                    rounds.append(measure(folder, name, kind, threads, arguments.runs))
            rows += table(folder, name, found, arguments)
        machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
