"""Times one bidirectional LSTM: Keras' layer, ours with the same weights, and PyTorch's.

    python benchmarks/recurrent.py --rounds 2

Forward pass, and forward and backward pass of the mean square. In each process Keras' layer and
ours take turns; the processes of a round (TensorFlow, JAX, PyTorch, those that are installed)
follow one another. The columns of ratios are of medians. `products_ms` is the time of a loop that
does nothing but multiply the state by the recurrent kernel, frame by frame in both directions: what
the forward pass cannot fall below on that backend.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import sys
import time

import fresh_process
import machine
import numpy as np

RESULTS = pathlib.Path(__file__).parent / "results" / "recurrent.csv"
ENGINES = ("tensorflow", "jax", "torch")
# Examples, frames, features, units of a direction: Open-Unmix, mask inference, and DPRNN's.
CASES = [(1, 128, 512, 256), (2, 128, 512, 256), (16, 128, 512, 256), (2, 128, 1200, 600)]
CASES += [(42, 100, 128, 128)]


def tensorflow_runs(layer, x):
    """Return forward pass and gradient as functions."""
    import tensorflow as tf

    x = tf.constant(x)
    forward = tf.function(layer)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x)))
        return tape.gradient(loss, [weight.value for weight in layer.trainable_variables])

    return lambda: forward(x).numpy(), lambda: [each.numpy() for each in gradient()]


def jax_runs(layer, x):
    """Return forward pass and gradient as functions."""
    import jax

    weights = [weight.value for weight in layer.trainable_variables]
    others = [weight.value for weight in layer.non_trainable_variables]

    def call(weights, x):
        return layer.stateless_call(weights, others, x)[0]

    forward = jax.jit(call)
    gradient = jax.jit(jax.grad(lambda weights, x: (call(weights, x) ** 2).mean()))
    return (
        lambda: jax.block_until_ready(forward(weights, x)),
        lambda: jax.block_until_ready(gradient(weights, x)),
    )


def keras_layers(engine, units, x):
    """Return functions of Keras' layer and of ours, and how far their outputs lie apart."""
    import keras

    from kerasep.layers.lstm import LSTM

    runs = {"tensorflow": tensorflow_runs, "jax": jax_runs}[engine]
    found, outputs, weights = {}, [], None
    for name, kind in (("keras", keras.layers.LSTM), ("kerasep", LSTM)):
        layer = keras.layers.Bidirectional(kind(units, return_sequences=True))
        layer.build(x.shape)
        weights = weights or layer.get_weights()
        layer.set_weights(weights)
        found[f"{name} forward"], found[f"{name} training"] = runs(layer, x)
        outputs.append(np.asarray(found[f"{name} forward"]()))
    found["products forward"] = products(engine, units, x)
    return found, float(np.abs(outputs[0] - outputs[1]).max())


def products(engine, units, x):
    """Return a function of a loop that multiplies a state by a kernel, for both directions."""
    from keras import ops

    kernel = np.random.default_rng(0).standard_normal((units, 4 * units)).astype("float32")
    kernel /= 4 * units**0.5

    def step(state, row):
        # The sum is the cheapest result that needs all of the product.
        return row + sum(ops.split(ops.matmul(state, kernel), 4, axis=-1)), None

    def loops(x):
        rows = ops.transpose(x, (1, 0, 2))[..., :units]
        return [ops.scan(step, row, rows)[0] for row in (rows[0], rows[-1])]

    if engine == "tensorflow":
        import tensorflow as tf

        x, compiled = tf.constant(x), tf.function(loops)
        return lambda: [end.numpy() for end in compiled(x)]
    import jax

    compiled = jax.jit(loops)
    return lambda: jax.block_until_ready(compiled(x))


def torch_layer(units, x, threads):
    """Return functions of PyTorch's layer."""
    import torch

    torch.set_num_threads(threads)
    layer = torch.nn.LSTM(x.shape[-1], units, batch_first=True, bidirectional=True)
    x = torch.from_numpy(x)

    def forward():
        with torch.inference_mode():
            return layer(x)

    def training():
        layer.zero_grad()
        layer(x)[0].square().mean().backward()

    return {"torch forward": forward, "torch training": training}, 0.0


def work(engine, case, threads, runs):
    """Return the times of single runs in ms, and the difference."""
    if engine == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    *shape, units = case
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    layers = torch_layer(units, x, threads) if engine == "torch" else keras_layers(engine, units, x)
    functions, difference = layers
    times = {name: [] for name in functions}
    for turn in range(runs + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    return times, difference


def measure(engine, case, threads, runs):
    """Work in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, json.dumps(case)]
    return fresh_process.measured(
        f"{engine}, {case}",
        [*command, "--threads", str(threads), "--runs", str(runs)],
        KERAS_BACKEND=engine,
        OMP_NUM_THREADS=str(threads),
    )


def main():
    """Measure case by case, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5, help="timed runs in a process")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    threads, runs = arguments.threads, arguments.runs
    if arguments.worker:
        engine, case = arguments.worker
        print(json.dumps(work(engine, json.loads(case), threads, runs)))
        return
    engines = [name for name in ENGINES if importlib.util.find_spec(name)]
    rows = []
    for case in CASES:
        times, differences = {}, {}
        for _ in range(arguments.rounds):
            for engine in engines:
                found, differences[engine] = measure(engine, case, threads, runs)
                for name, some in found.items():
                    times.setdefault((engine, name), []).extend(some)
        rows += table(case, times, differences, arguments, machine.describe("kerasep", "keras"))
    machine.write_csv(arguments.out, rows)


def table(case, times, differences, arguments, described):
    """Rows of a case: a task on a backend each."""
    rows = []
    middle = {key: statistics.median(some) for key, some in times.items()}
    for engine in sorted({engine for engine, _ in times} - {"torch"}):
        for task in ("forward", "training"):
            keras, ours = (middle[engine, f"{name} {task}"] for name in ("keras", "kerasep"))
            best = [min(times[engine, f"{name} {task}"]) for name in ("keras", "kerasep")]
            torch = middle.get(("torch", f"torch {task}"))
            floor = middle.get((engine, f"products {task}"))
            rows.append(
                {
                    **dict(zip(("batch", "frames", "features", "units"), case, strict=True)),
                    "task": task,
                    "backend": engine,
                    "keras_ms": round(keras, 1),
                    "kerasep_ms": round(ours, 1),
                    "torch_ms": torch and round(torch, 1),
                    "products_ms": floor and round(floor, 1),
                    "times_as_fast_as_keras": round(keras / ours, 2),
                    "best_times_as_fast_as_keras": round(best[0] / best[1], 2),
                    "times_as_fast_as_torch": torch and round(torch / ours, 2),
                    "max_difference": f"{differences[engine]:.1e}",
                    "threads": arguments.threads,
                    "rounds": arguments.rounds,
                    "runs": arguments.runs,
                    **described,
                }
            )
            print(", ".join(str(value) for value in list(rows[-1].values())[:13]), flush=True)
    return rows


if __name__ == "__main__":
    main()
