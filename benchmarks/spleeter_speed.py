"""Times `spleeter_like` and Spleeter's own TensorFlow graph: forward pass and training step.

    python benchmarks/spleeter_speed.py --spleeter .venv-spleeter/bin/python --rounds 3

Spleeter needs an environment of its own (see tests/golden/make_spleeter.py), whose interpreter
`--spleeter` names. Both sides take magnitudes of one segment of 512 frames, give two stems, and
train by the L1 loss and Adam. Ours also looks after the frames in front and the bins above 11 kHz,
which Spleeter does outside of its network. Each measurement is a fresh process; the processes of a
round follow one another. The median is over the rounds' medians.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import fresh_process
import numpy as np

RESULTS = pathlib.Path(__file__).parent / "results" / "spleeter_speed.csv"
FRAMES, BINS, ALL_BINS = 512, 1024, 2049
INSTRUMENTS = ["vocals", "accompaniment"]
TASKS = ("forward", "training step")


def spleeter_engine():
    """Give forward pass and training step of Spleeter's graph, in a session."""
    import tensorflow as tf
    from spleeter.model import EstimatorSpecBuilder

    tf = tf.compat.v1
    tf.disable_eager_execution()
    waveform = tf.placeholder(tf.float32, (None, 2), "waveform")
    parameters = {
        "mix_name": "mix",
        "instrument_list": INSTRUMENTS,
        "frame_length": 4096,
        "frame_step": 1024,
        "T": FRAMES,
        "F": BINS,
        "n_channels": 2,
        "separation_exponent": 2,
        "mask_extension": "zeros",
        "learning_rate": 1e-4,
        "model": {"type": "unet.unet", "params": {}},
    }
    builder = EstimatorSpecBuilder({"waveform": waveform}, parameters)
    mixture, outputs = builder.spectrogram_feature, builder.model_outputs
    shape = (1, FRAMES, BINS, 2)
    labels = {f"{name}_spectrogram": tf.placeholder(tf.float32, shape) for name in INSTRUMENTS}
    training = builder.build_train_model(labels).train_op
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    x = np.random.default_rng(0).random(shape, "float32")
    given = {mixture: x, waveform: np.zeros((1, 2))}  # the latter is asked for, and not used
    targets = dict.fromkeys(labels.values(), x / 2)
    return (
        lambda: session.run(outputs, given),
        lambda: session.run(training, given | targets),
    )


def keras_engine():
    """Give `predict_on_batch` and `train_on_batch` of our model."""
    from kerasep import zoo

    model = zoo.load("spleeter_like/2stems")
    model.compile("adam", "mae")
    # Two more frames are put in front by the model, as Spleeter does it.
    x = np.random.default_rng(0).random((1, FRAMES - 2, ALL_BINS, 2), "float32")
    y = np.stack([x / 2] * 2, axis=-1)
    return lambda: model.predict_on_batch(x), lambda: model.train_on_batch(x, y)


def work(engine, runs):
    """Give the times of single runs in ms, after two that are not counted."""
    found = {}
    tasks = (spleeter_engine if engine == "Spleeter" else keras_engine)()
    for task, run in zip(TASKS, tasks, strict=True):
        times = []
        for _ in range(runs + 2):
            start = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - start))
        found[task] = times[2:]
    return found


def measure(python, engine, runs):
    """Work in a fresh process."""
    return fresh_process.measured(
        engine,
        [python, __file__, "--worker", engine, "--runs", str(runs)],
        KERAS_BACKEND="jax" if engine == "Keras jax" else "tensorflow",
        TF_CPP_MIN_LOG_LEVEL="3",
    )


def main():
    """Measure round by round, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spleeter", help="Python of the environment that has spleeter")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(work(arguments.worker, arguments.runs)))
        return
    import machine  # not for the workers: Spleeter's environment has no kerasep

    engines = {"Spleeter": arguments.spleeter, "Keras tensorflow": sys.executable}
    engines["Keras jax"] = sys.executable
    found = {engine: [] for engine in engines}
    for _ in range(arguments.rounds):
        for engine, python in engines.items():
            found[engine].append(measure(python, engine, arguments.runs))
    described = machine.describe("kerasep", "keras", "tensorflow", "jax")
    rows = []
    for task in TASKS:
        medians = {
            engine: statistics.median(statistics.median(each[task]) for each in rounds)
            for engine, rounds in found.items()
        }
        for engine, median in medians.items():
            rows.append(
                {
                    "entry": "spleeter_like/2stems",
                    "task": task,
                    "engine": engine,
                    "median_ms": round(median, 1),
                    "times_as_fast": round(medians["Spleeter"] / median, 2),
                    "best_ms": round(min(min(each[task]) for each in found[engine]), 1),
                    "frames": FRAMES,
                    "rounds": arguments.rounds,
                    "runs": arguments.runs,
                    **described,
                }
            )
            print(", ".join(str(value) for value in list(rows[-1].values())[:6]), flush=True)
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
