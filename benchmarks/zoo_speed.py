"""Times models of the zoo and the packages that they come from: forward pass and training step.

    python benchmarks/zoo_speed.py --rounds 3

needs torch and the original packages (`--no-deps`) beside kerasep and one or more of Keras'
backends, each of which is measured; without any of them that is left out. A GPU is used where there
is one. Both sides have the same weights, and their outputs are compared. A training step is
forward, loss (SI-SDR, or mean squared error for spectrograms), backward and Adam: in Keras
`train_on_batch` of the compiled model, in PyTorch the plain loop.

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

import fresh_process
import machine
import numpy as np
import originals

RESULTS = pathlib.Path(__file__).parent / "results" / "zoo_speed.csv"
BACKENDS = ("tensorflow", "jax")
TASKS = ("forward", "training step")


def save_asteroid(network, path):
    """Write a file as Asteroid publishes it."""
    import torch

    contents = {"model_name": type(network).__name__, "model_args": network.get_model_args()}
    torch.save({**contents, "state_dict": network.state_dict()}, path)


def save_state(network, path):
    """Write the weights alone."""
    import torch

    torch.save(network.state_dict(), path)


def save_nussl(network, path):
    """Write a file as nussl does."""
    network.save(str(path))


def trimmed(network, x):
    """Run Demucs on a waveform that is padded to a length of its, and cut the result."""
    import torch

    missing = network.valid_length(x.shape[1]) - x.shape[1]
    before = missing // 2
    padded = torch.nn.functional.pad(x.permute(0, 2, 1), (before, missing - before))
    estimates = network(padded)
    first = (estimates.shape[-1] - x.shape[1]) // 2
    return estimates[..., first : first + x.shape[1]].permute(0, 3, 2, 1)


# nussl divides its transform by the sum of the window, 256 samples of a root of Hann's.
NUSSL = 162.97
ASTEROID = {
    "save": save_asteroid,
    "run": lambda network, x: network(x.permute(0, 2, 1)).permute(0, 2, 1)[:, :, None],
}
TRUNK = {
    "num_features": 129,
    "hidden_size": 600,
    "num_layers": 4,
    "bidirectional": True,
    "dropout": 0.3,
    "num_sources": 2,
    "mask_activation": ["sigmoid"],
}
ROFORMER = {
    "dim": 384,
    "depth": 8,
    "stereo": True,
    "num_stems": 4,
    "stft_hop_length": 441,
    "time_transformer_depth": 1,
    "freq_transformer_depth": 1,
    "mlp_expansion_factor": 2,
}
UMX = {"nb_bins": 2049, "max_bin": 1487, "hidden_size": 512}
# For each preset: what makes the original, how it is saved for kerasep.importers, and how it is run
# on our axes; for some, which arguments of ours differ from the preset's.
ENTRIES = {
    "conv_tasnet_like/speech": {
        "original": lambda: originals.asteroid("conv_tasnet", n_src=2, mask_act="relu"),
        **ASTEROID,
    },
    "dprnn_like/k16": {
        "original": lambda: originals.asteroid("dprnn_tasnet", n_src=2),
        **ASTEROID,
    },
    "mask_inference_like/speech": {
        "original": lambda: originals.nussl("mask_inference", **TRUNK),
        "save": save_nussl,
        "run": lambda network, x: network(mix_magnitude=x / NUSSL)["estimates"] * NUSSL,
        "overrides": {"activation": "sigmoid"},
    },
    "open_unmix_like/umxhq": {
        "original": lambda: originals.openunmix(**UMX),
        "save": save_state,
        "run": lambda network, x: network(x.permute(0, 3, 2, 1)).permute(0, 3, 2, 1)[..., None],
        "overrides": {"sources": ["vocals"]},
    },
    "demucs_like/light": {
        "original": lambda: originals.demucs(
            sources=["drums", "bass", "other", "vocals"], channels=32, resample=False
        ),
        "save": save_state,
        "run": trimmed,
        "overrides": {"filters": 32, "normalize": False},
    },
    "bs_roformer_like/musdb": {
        "original": lambda: originals.bs_roformer(**ROFORMER),
        "save": save_state,
        "run": lambda network, x: network(x.permute(0, 2, 1)).permute(0, 3, 2, 1),
    },
    "hs_tasnet_like/full": {
        "original": lambda: originals.hs_tasnet(),
        "save": save_state,
        "run": lambda network, x: network(x.permute(0, 2, 1))[0].permute(0, 3, 2, 1),
    },
}


def prepare(folder, entry, batch, seconds):
    """Write random weights, and the inputs and targets that all engines share."""
    import torch

    from kerasep import models, zoo

    torch.manual_seed(0)
    item = ENTRIES[entry]
    card = {**zoo.describe(entry)["arguments"], **item.get("overrides", {})}
    item["save"](item["original"](), folder / "weights.pth")
    samples = round(seconds * card["sample_rate"])
    shape = (batch, samples, card["channels"])
    spectrum = getattr(models, zoo.describe(entry)["class"]).domain == "spectrogram"
    if spectrum:
        shape = (batch, 1 + samples // card["hop"], card["n_fft"] // 2 + 1, card["channels"])
    rng = np.random.default_rng(0)
    targets = 0.1 * rng.standard_normal((*shape, len(card["sources"]))).astype("float32")
    if spectrum:
        targets = np.abs(targets)
    np.save(folder / "targets.npy", targets)
    np.save(folder / "mixture.npy", targets.sum(axis=-1))


def keras_engine(folder, entry):
    """Give `predict_on_batch` and `train_on_batch` of the compiled model."""
    import keras

    from kerasep import importers, losses, zoo

    model = zoo.load(entry, **ENTRIES[entry].get("overrides", {}))
    importers.load(model, folder / "weights.pth")
    waveform = model.domain == "waveform"
    model.compile(keras.optimizers.Adam(1e-4), losses.SISDR() if waveform else "mse")
    return model.predict_on_batch, model.train_on_batch


def torch_engine(folder, entry):
    """Give the same two functions of the original."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True  # as JAX does by default
    item = ENTRIES[entry]
    network = item["original"]().to(device)
    state = torch.load(folder / "weights.pth", map_location=device, weights_only=False)
    network.load_state_dict(state.get("state_dict", state))
    optimizer = torch.optim.Adam(network.parameters(), 1e-4)

    def apply(x):
        return item["run"](network, torch.from_numpy(x).to(device))

    def forward(x):
        network.eval()
        with torch.no_grad():  # an original keeps windows of this run for training
            return apply(x).cpu().numpy()

    def step(x, y):
        network.train()
        optimizer.zero_grad()
        estimate, y = apply(x), torch.from_numpy(y).to(device)
        loss = -si_sdr(estimate, y).mean() if y.ndim == 4 else ((estimate - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return float(loss)

    return forward, step


def si_sdr(estimate, target):
    """Scale-invariant signal-to-distortion ratio in dB, over the second axis."""
    scale = (estimate * target).sum(1) / ((target**2).sum(1) + 1e-8)
    target = scale[:, None] * target
    ratio = (target**2).sum(1) / (((estimate - target) ** 2).sum(1) + 1e-8)
    return 10 * (ratio + 1e-8).log10()


def work(folder, engine, entry, threads, runs):
    """Give the times of single runs in ms, for each task; leave the output in the folder."""
    limit_threads(engine, threads)
    make = torch_engine if engine == "PyTorch" else keras_engine
    forward, step = make(folder, entry)
    x, y = np.load(folder / "mixture.npy"), np.load(folder / "targets.npy")
    np.save(folder / f"{engine}.npy", forward(x))
    return {"forward": timed(lambda: forward(x), runs), TASKS[1]: timed(lambda: step(x, y), runs)}


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
    parser.add_argument("--runs", type=int, default=5, help="timed runs of a task in a process")
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
    rows, original = [], {}
    expected = np.load(folder / "PyTorch.npy")
    for task in TASKS:
        for engine, rounds in found.items():
            median = statistics.median(statistics.median(each[task]) for each in rounds)
            original.setdefault(task, median)
            difference = np.abs(np.load(folder / f"{engine}.npy") - expected).max()
            rows.append(
                {
                    "entry": entry,
                    "task": task,
                    "engine": engine,
                    "median_ms": round(median, 1),
                    "times_as_fast": round(original[task] / median, 2),
                    "best_ms": round(min(min(each[task]) for each in rounds), 1),
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
