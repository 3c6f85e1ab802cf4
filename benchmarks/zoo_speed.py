"""Times the forward pass of models of the zoo and of the packages that they come from.

    python benchmarks/zoo_speed.py --rounds 3

needs torch and the original packages (`--no-deps`) beside kerasep and one or more of Keras'
backends, each of which is measured; without any of them that is left out. A GPU is used where there
is one. Both sides have the same weights, and their outputs are compared. Training has a benchmark
of its own: fit_speed.py.

Each measurement is a fresh process; the processes of a round follow one another, so that a busy
moment of the machine hits all alike. The median is over the rounds' medians.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

import entries
import fresh_process
import machine
import numpy as np

RESULTS = pathlib.Path(__file__).parent / "results" / "zoo_speed.csv"
BACKENDS = ("tensorflow", "jax")


# Those whose weights can be carried over.
ENTRIES = {name: item for name, item in entries.ENTRIES.items() if "save" in item}


def prepare(folder, entry, batch, seconds):
    """Write random weights, and the input that all engines share."""
    import torch

    from kerasep import zoo

    torch.manual_seed(0)
    item = ENTRIES[entry]
    card = {**zoo.describe(entry)["arguments"], **item.get("overrides", {})}
    item["save"](item["original"](), folder / "weights.pth")
    samples = item.get("samples", round)(round(seconds * card["sample_rate"]))
    shape = (batch, samples, card["channels"])
    rng = np.random.default_rng(0)
    if item.get("stft"):
        shape = (batch, 1 + samples // card["hop"], card["n_fft"] // 2 + 1, card["channels"])
    mixture = 0.1 * rng.standard_normal(shape).astype("float32")
    np.save(folder / "mixture.npy", np.abs(mixture) if item.get("stft") else mixture)


def keras_engine(folder, entry):
    """Return `predict_on_batch` of the model."""
    from kerasep import importers, zoo

    model = zoo.load(entry, weights=False, **ENTRIES[entry].get("overrides", {}))
    importers.load(model, folder / "weights.pth")
    return model.predict_on_batch


def torch_engine(folder, entry):
    """Return the same function of the original."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True  # as JAX does by default
    item = ENTRIES[entry]
    network = item["original"]().to(device).eval()
    state = torch.load(folder / "weights.pth", map_location=device, weights_only=False)
    network.load_state_dict(state.get("state_dict", state))

    def forward(x):
        with torch.no_grad():
            return item["run"](network, torch.from_numpy(x).to(device)).cpu().numpy()

    return forward


def work(folder, engine, entry, threads, runs):
    """Return the times of single runs in ms; leave the output in the folder."""
    limit_threads(engine, threads)
    forward = (torch_engine if engine == "PyTorch" else keras_engine)(folder, entry)
    x = np.load(folder / "mixture.npy")
    np.save(folder / f"{engine}.npy", forward(x))
    return timed(lambda: forward(x), runs)


def timed(run, runs):
    """Times of single runs in ms, after two that are not counted."""
    times = []
    for _ in range(runs + 2):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return times[2:]


def limit_threads(engine, threads):
    """Set the threads of a backend; those of JAX come from the process' cores."""
    if engine == "PyTorch":
        import torch

        torch.set_num_threads(threads)
    elif engine == "Keras tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def measure(folder, engine, entry, threads, runs):
    """Work in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, entry, "--folder", str(folder)]
    return fresh_process.measured(
        f"{engine}, {entry}",
        [*command, "--threads", str(threads), "--runs", str(runs)],
        KERAS_BACKEND=engine.split()[-1] if engine != "PyTorch" else "torch",
        TF_CPP_MIN_LOG_LEVEL="3",
        OMP_NUM_THREADS=str(threads),
        XLA_PYTHON_CLIENT_PREALLOCATE="false",
    )


def device():
    """Name the device that PyTorch would take."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def main():
    """Measure round by round, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("entries", nargs="*", default=list(ENTRIES), help="presets, default all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5, help="timed runs in a process")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0, help="of audio")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads, runs = arguments.threads, arguments.runs
    if arguments.worker:
        print(json.dumps(work(arguments.folder, *arguments.worker, threads, runs)))
        return
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    os.environ.setdefault("KERAS_BACKEND", installed[0])
    engines = ["PyTorch", *(f"Keras {name}" for name in installed)]
    packages = ("kerasep", "keras", *installed, "torch")
    rows = []
    for entry in arguments.entries:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            prepare(folder, entry, arguments.batch, arguments.seconds)
            found = {engine: [] for engine in engines}
            for _ in range(arguments.rounds):
                for engine, rounds in found.items():
                    rounds.append(measure(folder, engine, entry, threads, runs))
            rows += table(folder, entry, found, arguments, machine.describe(*packages))
        machine.write_csv(arguments.out, rows)


def table(folder, entry, found, arguments, described):
    """Rows of an entry, PyTorch's first."""
    rows = []
    expected = np.load(folder / "PyTorch.npy")
    medians = {name: statistics.median(map(statistics.median, found[name])) for name in found}
    for engine, rounds in found.items():
        difference = np.abs(np.load(folder / f"{engine}.npy") - expected).max()
        rows.append(
            {
                "entry": entry,
                "task": "forward",
                "engine": engine,
                "median_ms": round(medians[engine], 1),
                "times_as_fast": round(medians["PyTorch"] / medians[engine], 2),
                "best_ms": round(min(map(min, rounds)), 1),
                "max_relative_difference": f"{difference / np.abs(expected).max():.1e}",
                "batch": arguments.batch,
                "audio_seconds": arguments.seconds,
                "threads": arguments.threads,
                "rounds": arguments.rounds,
                "runs": arguments.runs,
                "device": device(),
                **described,
            }
        )
        print(", ".join(str(value) for value in list(rows[-1].values())[:7]), flush=True)
    return rows


if __name__ == "__main__":
    main()
