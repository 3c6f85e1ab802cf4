"""Times training as users run it: Keras' `fit`, and the original network in PyTorch.

    python benchmarks/fit_speed.py --rounds 3

needs torch and the original packages (`--no-deps`) beside kerasep, and JAX or TensorFlow or both. A
GPU is used if there is one. Each measurement is a fresh process with a time limit; if it fails, the
table says why. The table is written after each measurement.

Both sides train on ready waveform crops of noise, with the same batch and loss, by Adam, with the
network in training mode. Spectrogram models compute the transform of mixture and sources on the
device, and the loss is the mean squared error of magnitudes. That of waveforms is the mean absolute
error. On a GPU float32 products may use TF32 everywhere. bfloat16 is Keras' mixed policy and
PyTorch's autocast.

- Keras: `fit` over a `tf.data` pipeline, fed as by `kerasep train`: prefetched, with TensorFlow to
  the GPU, and in 16-bit floats if there is one. JAX without TensorFlow gets a generator of NumPy
  arrays. `jit_compile` is Keras' default; with TensorFlow XLA compiles what surrounds cuDNN's
  layers, as `kerasep train` has it.
- PyTorch: batches in pinned memory; while the GPU works on one, the next is copied. Eager, and with
  the forward pass and the loss under `torch.compile`.

Neither waits for the loss of a step before it starts the next one. `median_ms` is the time of a
step in the steady state: the median over blocks of steps, then over rounds. `kernels_ms` and
`copies_ms` are the GPU's time per step in kernels and in copies, from a profile of five further
steps.

Spleeter, a graph of TensorFlow, has a benchmark of its own: spleeter_speed.py.
"""

import argparse
import importlib.util
import json
import pathlib
import statistics
import sys
import time

import entries
import fresh_process
import machine

RESULTS = pathlib.Path(__file__).parent / "results" / "fit_speed.csv"
FRAMEWORKS = {
    "PyTorch eager": "torch",
    "PyTorch compiled": "torch",
    "Keras JAX": "jax",
    "Keras TensorFlow": "tensorflow",
}
PRECISIONS = ("float32", "bfloat16")
# Of two sizes of one architecture the smaller.
DEFAULT = [name for name in entries.ENTRIES if name != "bs_roformer_like/musdb"]


def case_of(entry, framework, precision, arguments):
    """Describe a measurement for its process."""
    from kerasep import zoo

    item = entries.ENTRIES[entry]
    overrides = dict(item.get("overrides", {}))
    card = {**zoo.describe(entry)["arguments"], **overrides}
    samples = round(arguments.seconds * card["sample_rate"])
    samples = item.get("samples", lambda wanted: wanted)(samples)
    if entry.startswith("htdemucs"):  # as in its training, crops are not padded
        overrides["chunk_seconds"] = samples / card["sample_rate"]
    return {
        "entry": entry,
        "framework": framework,
        "precision": precision,
        "overrides": overrides,
        "stft": {key: card[key] for key in ("n_fft", "hop", "window")}
        if item.get("stft")
        else None,
        "batch": arguments.batch,
        "samples": samples,
        "channels": card["channels"],
        "sources": len(card["sources"]),
        "steps": arguments.steps,
        "blocks": min(arguments.steps, 5),
    }


def work(case):
    """Measure in this process, and print what is known so far as lines of JSON."""
    known = {}

    def report(**values):
        known.update(values)
        print(json.dumps(known), flush=True)

    if FRAMEWORKS[case["framework"]] == "torch":
        import fit_torch as side
    else:
        import fit_keras as side
    side.train(case, report)


def measure(case, seconds):
    """Return what a fresh process reported about a case."""
    backend = FRAMEWORKS[case["framework"]]
    return fresh_process.attempted(
        [sys.executable, __file__, "--worker", json.dumps(case)],
        seconds,
        KERAS_BACKEND=backend,
        TF_CPP_MIN_LOG_LEVEL="3",
        XLA_PYTHON_CLIENT_PREALLOCATE="false",
    )


def row_of(case, rounds, eager, described):
    """Return the row of a case."""
    good = [each for each in rounds if "block_ms" in each]
    errors = [each["error"] for each in rounds if "error" in each]
    median = (
        statistics.median(statistics.median(each["block_ms"]) for each in good) if good else None
    )

    def middle(key, digits):
        values = [each[key] for each in good if each.get(key) is not None]
        return round(statistics.median(values), digits) if values else ""

    return {
        "entry": case["entry"],
        "precision": case["precision"],
        "framework": case["framework"],
        "median_ms": round(median, 1) if good else "",
        "times_as_fast_as_eager": round(eager / median, 2) if good and eager else "",
        "best_ms": round(min(min(each["block_ms"]) for each in good), 1) if good else "",
        "kernels_ms": middle("kernels_ms", 1),
        "copies_ms": middle("copies_ms", 1),
        "first_step_s": middle("first_step_s", 1),
        "loss": middle("loss", 4),
        "input": good[-1]["input"] if good else "",
        "error": errors[-1] if errors else "",
        "batch": case["batch"],
        "samples": case["samples"],
        "steps": case["steps"],
        "rounds": len(good),
        "device": good[-1]["device"] if good else "",
        **described,
    }


def table(results, described):
    """Return all rows so far, each compared with PyTorch eager in the same precision."""
    medians = {
        key: statistics.median(
            statistics.median(each["block_ms"]) for each in rounds if "block_ms" in each
        )
        for key, (_, rounds) in results.items()
        if any("block_ms" in each for each in rounds)
    }
    return [
        row_of(case, rounds, medians.get((entry, precision, "PyTorch eager")), described)
        for (entry, precision, _), (case, rounds) in results.items()
    ]


def main():
    """Measure round by round and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", nargs="+", default=DEFAULT, choices=list(entries.ENTRIES))
    parser.add_argument("--frameworks", nargs="+", default=list(FRAMEWORKS), choices=FRAMEWORKS)
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4.0, help="of audio per crop")
    parser.add_argument("--steps", type=int, default=50, help="timed steps of a measurement")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--case-limit", type=float, default=240, help="seconds of a measurement")
    parser.add_argument(
        "--seconds-limit", type=float, default=float("inf"), help="begin no measurement after it"
    )
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return
    began, results = time.monotonic(), {}
    installed = [name for name in ("tensorflow", "jax") if importlib.util.find_spec(name)]
    described = machine.describe("kerasep", "keras", *installed, "torch")
    cases = [
        (entry, precision, framework)
        for _ in range(arguments.rounds)
        for entry in arguments.entries
        for precision in arguments.precisions
        for framework in arguments.frameworks
        if FRAMEWORKS[framework] in (*installed, "torch")
    ]
    for number, key in enumerate(cases, 1):
        left = arguments.seconds_limit - (time.monotonic() - began)
        if left <= 0:
            print(f"{len(cases) - number + 1} measurements were not begun: the time is over")
            break
        entry, precision, framework = key
        case = case_of(entry, framework, precision, arguments)
        results.setdefault(key, (case, []))[1].append(
            measure(case, min(arguments.case_limit, left + 60))
        )
        rows = table(results, described)
        line = next(row for row in rows if tuple(row[name] for name in KEY) == key)
        print(f"{number}/{len(cases)}", *list(line.values())[:12], sep=", ", flush=True)
        machine.write_csv(arguments.out, rows)


KEY = ("entry", "precision", "framework")

if __name__ == "__main__":
    main()
