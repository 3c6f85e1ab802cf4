"""Times one target of Open-Unmix at full size in Keras, LiteRT and PyTorch, with the same weights.

    python benchmarks/open_unmix_inference.py --rounds 5

needs torch and openunmix (`--no-deps`) beside kerasep with its `edge` extra. "network" is the
magnitude of six seconds of 44.1 kHz stereo to the target's; "waveform" adds both transforms.

Each measurement is a fresh process with its threads set; the processes of one round follow one
another, so that a busy moment of the machine hits all alike. The median is over the rounds'
medians, the best is the fastest single run. Outputs are compared with PyTorch's in the same run.
"""

import argparse
import itertools
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import machine
import numpy as np

SAMPLE_RATE, N_FFT, HOP, BINS, BANDWIDTH_BINS = 44100, 4096, 1024, 2049, 1487
RESULTS = pathlib.Path(__file__).parent / "results" / "open_unmix_inference.csv"


def prepare(folder, seconds):
    """Write random weights, the inputs and the LiteRT files, which all engines share."""
    torch, model = _openunmix()
    torch.manual_seed(0)
    network = model.OpenUnmix(nb_bins=BINS, max_bin=BANDWIDTH_BINS, hidden_size=512)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith(("running_var", "scale")):
                value.uniform_(0.5, 1.5)
    torch.save(network.state_dict(), folder / "vocals.pth")
    samples = HOP * math.ceil(seconds * SAMPLE_RATE / HOP)
    waveform = torch.randn(2, samples) * 0.1
    window = torch.hann_window(N_FFT)
    spectrum = torch.stft(waveform, N_FFT, HOP, window=window, return_complex=True)
    np.save(folder / "waveform.npy", waveform.T[None].numpy())
    np.save(folder / "network.npy", spectrum.abs().permute(2, 1, 0)[None].numpy())

    from kerasep import tflite
    from kerasep.importers import open_unmix
    from kerasep.tflite.conversion import convert
    from kerasep.tflite.forms.registry import export_forms

    keras_model = open_unmix.build(folder / "vocals.pth")
    tflite.export(keras_model, folder / "waveform.tflite", seconds=samples / SAMPLE_RATE)
    # The public export is from waveform to waveforms; its parts give the network alone as well.
    shape = (1, 1 + samples // HOP, BINS, 2)
    with export_forms(keras_model):
        content, _ = convert(keras_model, lambda x: {"y": keras_model(x)}, x=shape)
    (folder / "network.tflite").write_bytes(content)


def keras_engine(folder, task, threads):
    """`predict_on_batch` of the network, or of the Separator around it."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import kerasep
    from kerasep.importers import open_unmix

    model = open_unmix.build(folder / "vocals.pth")
    run = (model if task == "network" else kerasep.Separator(model)).predict_on_batch
    return lambda x: run(x)[..., 0]


def litert_engine(folder, task, threads):
    """The interpreter alone, with its float32 file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / f"{task}.tflite"), num_threads=threads)
    interpreter.allocate_tensors()
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(x):
        interpreter.set_tensor(given["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])[..., 0]

    return run


def torch_engine(folder, task, threads):
    """The openunmix package; its Separator without iterations, with the mixture's phase."""
    torch, model = _openunmix()
    torch.set_num_threads(threads)
    network = model.OpenUnmix(nb_bins=BINS, max_bin=BANDWIDTH_BINS, hidden_size=512).eval()
    network.load_state_dict(torch.load(folder / "vocals.pth"))
    separator = model.Separator({"vocals": network}, niter=0).eval()

    def run(x):
        x = torch.from_numpy(x)
        with torch.inference_mode():
            if task == "network":
                return network(x.permute(0, 3, 2, 1)).permute(0, 3, 2, 1).numpy()
            return separator(x.permute(0, 2, 1))[:, 0].permute(0, 2, 1).numpy()

    return run


ENGINES = {
    "Keras predict_on_batch": keras_engine,
    "LiteRT float32": litert_engine,
    "PyTorch openunmix": torch_engine,
}
REFERENCE = "PyTorch openunmix"


def work(folder, engine, task, threads, runs):
    """Give the times of single runs in ms; leave the output in the folder."""
    run = ENGINES[engine](folder, task, threads)
    x = np.load(folder / f"{task}.npy")
    for _ in range(2):
        output = run(x)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run(x)
        times.append(1000 * (time.perf_counter() - start))
    np.save(_output(folder, engine, task), output)
    return times


def measure(folder, engine, task, threads, runs):
    """Work in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, task, str(threads)]
    finished = subprocess.run(
        [*command, "--folder", str(folder), "--runs", str(runs)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


def difference(folder, engine, task):
    """Largest difference from PyTorch's output, relative to its largest value."""
    expected = np.load(_output(folder, REFERENCE, task))
    return np.abs(np.load(_output(folder, engine, task)) - expected).max() / np.abs(expected).max()


def _output(folder, engine, task):
    return folder / f"{engine.split()[0]}_{task}_output.npy"


def _openunmix():
    import torch
    import torchaudio_stand_in

    torchaudio_stand_in.install()
    from openunmix import model

    return torch, model


def main():
    """Measure round by round, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=7, help="timed runs of a process")
    parser.add_argument("--seconds", type=float, default=6.0, help="of audio")
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        engine, task, threads = arguments.worker
        print(json.dumps(work(arguments.folder, engine, task, int(threads), arguments.runs)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder, arguments.seconds)
        cases = itertools.product(("network", "waveform"), (1, 2), ENGINES)
        found = {case: [] for case in cases}
        for round_number in range(arguments.rounds):
            for (task, threads, engine), rounds in found.items():
                rounds.append(measure(folder, engine, task, threads, arguments.runs))
                median = statistics.median(rounds[-1])
                print(
                    f"round {round_number + 1}: {task}, {threads} threads, {engine}: {median:.1f}"
                )
        differences = {(t, e): difference(folder, e, t) for t, _, e in found}
    described = machine.describe(
        "kerasep", "tensorflow", "keras", "ai-edge-litert", "openunmix", "torch"
    )
    rows = []
    for (task, threads, engine), rounds in found.items():
        median = statistics.median(statistics.median(times) for times in rounds)
        rows.append(
            {
                "task": task,
                "engine": engine,
                "threads": threads,
                "median_ms": round(median, 1),
                "best_ms": round(min(map(min, rounds)), 1),
                "real_time_factor": round(median / 1000 / arguments.seconds, 4),
                "max_relative_difference": f"{differences[task, engine]:.1e}",
                "rounds": arguments.rounds,
                "runs": arguments.runs,
                "audio_seconds": arguments.seconds,
                **described,
            }
        )
        print(", ".join(str(value) for value in list(rows[-1].values())[:7]))
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
