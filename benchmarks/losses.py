"""Times losses and their gradients beside Asteroid's and nussl's, on the same processor.

    python benchmarks/losses.py --rounds 9

needs torch, asteroid, asteroid-filterbanks and nussl (all `--no-deps`) beside kerasep. Deep
clustering: 16 examples of 400 frames, 129 bins, 20 dimensions, 2 sources. Permutation invariant
SI-SDR: 16 examples of 4 s at 8 kHz. Everybody gets float32 arrays in their own layout: we the
packed reference or waveforms, the others what their data sets would have prepared for them; what
that costs is not counted for them, and is counted for us.

Each engine is a process of its own that lives through all rounds; runs alternate, one at a time,
and the median is over rounds. Peak memory is a process' largest, less what it held before its first
run. Losses and gradients are compared with Asteroid's.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import machine
import numpy as np

BATCH, FRAMES, BINS, SIZE = 16, 400, 129, 20
SAMPLES = 32000
TASKS = ("deep clustering", "PIT SI-SDR, 2 sources", "PIT SI-SDR, 3", "PIT SI-SDR, 8")
REFERENCE = "asteroid"
RESULTS = pathlib.Path(__file__).parent / "results" / "losses.csv"


def arrays(task):
    """What is compared: y_true and y_pred in kerasep's layout."""
    rng = np.random.default_rng(0)
    if task == "deep clustering":
        reference = rng.standard_normal((BATCH, FRAMES, BINS, 1, 3, 2), "float32")
        reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
        embedding = rng.standard_normal((BATCH, FRAMES, BINS, 1, SIZE), "float32")
        return reference, embedding / np.linalg.norm(embedding, axis=-1, keepdims=True)
    sources = int(task.split()[2])
    true = rng.standard_normal((BATCH, SAMPLES, 1, sources), "float32")
    noise = rng.standard_normal(true.shape, "float32")
    return true, true[..., rng.permutation(sources)] + noise


def kerasep_engine(task):
    """Loss and gradient of the estimate, compiled as the backend's `fit` would."""
    import keras

    from kerasep import losses

    loss = losses.PermutationInvariant(losses.SISDR())
    if task == "deep clustering":
        loss = losses.DeepClustering("none")
    true, estimated = arrays(task)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        true, estimated = tf.constant(true), tf.constant(estimated)

        @tf.function
        def run(true, estimated):
            with tf.GradientTape() as tape:
                tape.watch(estimated)
                value = loss(true, estimated)
            return value, tape.gradient(value, estimated)

        return lambda: run(true, estimated)
    if keras.backend.backend() == "jax":
        import jax

        true, estimated = jax.device_put(true), jax.device_put(estimated)
        run = jax.jit(jax.value_and_grad(lambda estimated, true: loss(true, estimated)))
        return lambda: jax.block_until_ready(run(estimated, true))
    import torch

    true, estimated = torch.tensor(true), torch.tensor(estimated, requires_grad=True)
    return lambda: _torch_step(lambda: loss(true, estimated), estimated)


def asteroid_engine(task):
    """Asteroid's losses; sources first, dominant sources as indices."""
    import torch

    losses = _part("asteroid", "losses/__init__.py")
    true, estimated = arrays(task)
    if task == "deep clustering":
        dominant = torch.tensor(np.linalg.norm(true[..., 1:, :], axis=-1).argmax(axis=-1)[..., 0])
        points = FRAMES * BINS
        x = torch.tensor(estimated.reshape(BATCH, points, SIZE), requires_grad=True)
        run = lambda: losses.deep_clustering_loss(x, dominant).mean() / points  # noqa: E731
        back = lambda gradient: gradient.reshape(estimated.shape)  # noqa: E731
    else:
        true, x = (torch.tensor(a[:, :, 0].transpose(0, 2, 1).copy()) for a in (true, estimated))
        x.requires_grad_()
        pit = losses.PITLossWrapper(losses.PairwiseNegSDR("sisdr", zero_mean=False))
        run = lambda: pit(x, true)  # noqa: E731
        back = lambda gradient: gradient.transpose(0, 2, 1)[:, :, None]  # noqa: E731

    def step():
        value, gradient = _torch_step(run, x)
        return value, back(gradient)

    return step


def nussl_engine(task):
    """The deep clustering loss of nussl; its PIT chooses anew for each bin, so is another."""
    import torch

    losses = _part("nussl", "ml/train/loss.py")
    true, estimated = arrays(task)
    masks = np.eye(2, dtype="float32")[np.linalg.norm(true[..., 1:, :], axis=-1).argmax(axis=-1)]
    x = torch.tensor(estimated, requires_grad=True)
    given = torch.tensor(masks), torch.ones(BATCH, FRAMES, BINS, 1)
    loss = losses.DeepClusteringLoss()
    return lambda: _torch_step(lambda: loss(x, *given), x)


def _torch_step(loss, x):
    x.grad = None
    value = loss()
    value.backward()
    return value.detach().numpy(), x.grad.numpy()


def _part(package, path):
    """One module of a package, without the package's own imports."""
    path = pathlib.Path(importlib.util.find_spec(package).origin).parent / path
    spec = importlib.util.spec_from_file_location(
        f"{package}_losses", path, submodule_search_locations=[str(path.parent)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


ENGINES = {
    "kerasep on TensorFlow": kerasep_engine,
    "kerasep on JAX": kerasep_engine,
    "kerasep on PyTorch": kerasep_engine,
    "asteroid": asteroid_engine,
    "nussl": nussl_engine,
}


def work(engine, task):
    """Run once for every line read; write value, milliseconds, memory in MB, gradient's norm."""
    step = ENGINES[engine](task)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        value, gradient = step()
        spent = 1000 * (time.perf_counter() - start)
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        gradient = np.asarray(gradient)
        probe = float((gradient.ravel()[::1009] ** 2).sum() ** 0.5)
        print(json.dumps([float(value), spent, peak, probe]), flush=True)


def start(engine, task):
    """Begin a process, and wait until it has compiled."""
    backend = engine.split()[-1].lower().replace("pytorch", "torch")
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if not engine.startswith("kerasep"):
        del environment["KERAS_BACKEND"]
    process = subprocess.Popen(
        [sys.executable, __file__, "--worker", engine, task],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if process.stdout.readline().strip() != "ready":
        raise SystemExit(f"{engine} could not run {task}")
    return process


def once(process):
    """One run of a waiting process."""
    process.stdin.write("\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def measure(task, rounds):
    """Alternate between the engines; give a row for each."""
    engines = [engine for engine in ENGINES if engine != "nussl" or task == TASKS[0]]
    processes = {engine: start(engine, task) for engine in engines}
    found = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine, process in processes.items():
            found[engine].append(once(process))
    for process in processes.values():
        process.stdin.close()
        process.wait()
    value, _, _, probe = found[REFERENCE][0]
    median = {engine: statistics.median(run[1] for run in found[engine]) for engine in engines}
    for engine, runs in found.items():
        difference = abs(runs[0][0] - value)
        if engine != "nussl":  # its gradient is that of an embedding made unit norm
            difference = max(difference, abs(runs[0][3] / probe - 1))
        yield {
            "task": task,
            "engine": engine,
            "median_ms": round(median[engine], 1),
            "best_ms": round(min(run[1] for run in runs), 1),
            "times_as_fast_as_asteroid": round(median[REFERENCE] / median[engine], 2),
            "peak_memory_mb": round(max(run[2] for run in runs)),
            "difference_from_asteroid": f"{difference:.1e}",
            "rounds": rounds,
        }


def main():
    """Measure task by task, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(*arguments.worker)
        return
    packages = ("kerasep", "tensorflow", "jax", "torch", "asteroid", "nussl")
    described = machine.describe(*packages)
    rows = []
    for task in TASKS:
        for row in measure(task, arguments.rounds):
            rows.append({**row, **described})
            print(", ".join(str(value) for value in row.values()), flush=True)
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
