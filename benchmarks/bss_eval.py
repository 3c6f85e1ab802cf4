"""Times BSS Eval version 4 against museval, on the same recording with the same scores.

    python benchmarks/bss_eval.py --rounds 3

needs museval (`--no-deps`) beside kerasep. The recording is of noise: sources in overlapping bands,
estimates with leakage, filtering and noise. Each measurement is the second evaluation of a fresh
process; the processes of one round follow one another.
"""

import argparse
import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import types

import machine
import numpy as np
import scipy.signal

SAMPLE_RATE = 44100
RESULTS = pathlib.Path(__file__).parent / "results" / "bss_eval.csv"


def recording(seconds, channels, sources):
    """Sources and estimates `(samples, channels, sources)`, float32."""
    random = np.random.default_rng(0)
    shape = (round(seconds * SAMPLE_RATE), channels)
    reference = np.empty((*shape, sources))
    for j in range(sources):
        noise = random.standard_normal(shape)
        noise = noise[:, :1] + 0.3 * noise  # mostly in the middle, like music
        band = scipy.signal.firwin(257, [0.01 + 0.1 * j, 0.3 + 0.15 * j], pass_zero=False)
        voiced = scipy.signal.oaconvolve(noise, band[:, None], mode="same", axes=0)
        reference[..., j] = 10 ** (-j / 4) * voiced + 1e-3 * random.standard_normal(shape)
    echo = np.exp(-np.arange(64) / 8)[:, None, None] * random.standard_normal((64, 1, 1))
    filtered = scipy.signal.oaconvolve(reference, echo, mode="same", axes=0)
    leakage = reference.sum(axis=-1, keepdims=True)
    noise = random.standard_normal(reference.shape)
    estimate = 0.8 * reference + 0.1 * filtered + 0.1 * leakage + 0.01 * noise
    return reference.astype("float32"), estimate.astype("float32")


def kerasep_engine():
    """Give our function of reference and estimate, to `(4, frames, sources)`."""
    from kerasep.metrics import bss_eval

    def run(reference, estimate):
        scores = bss_eval(reference, estimate, SAMPLE_RATE)
        return np.stack([scores[name] for name in ("sdr", "isr", "sir", "sar")])

    return run


def museval_engine():
    """Give museval's; its package's front would need ffmpeg, so that its part is loaded alone."""
    package = types.ModuleType("museval")
    package.__path__ = importlib.util.find_spec("museval").submodule_search_locations
    sys.modules["museval"] = package
    from museval import metrics

    def run(reference, estimate):
        signals = [x.transpose(2, 0, 1) for x in (reference, estimate)]
        return np.stack(metrics.bss_eval(*signals, SAMPLE_RATE, SAMPLE_RATE)[:4]).swapaxes(1, 2)

    return run


ENGINES = {"kerasep": kerasep_engine, "museval": museval_engine}


def work(folder, engine):
    """Give the seconds of one evaluation; leave the scores in the folder."""
    with np.load(folder / "recording.npz") as file:
        reference, estimate = file["reference"], file["estimate"]
    run = ENGINES[engine]()
    run(reference, estimate)
    start = time.perf_counter()
    scores = run(reference, estimate)
    seconds = time.perf_counter() - start
    np.save(folder / f"{engine}.npy", scores)
    return seconds


def measure(folder, engine):
    """Work in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, "--folder", str(folder)]
    finished = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    return json.loads(finished.stdout.splitlines()[-1])


def main():
    """Measure round by round, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0, help="of audio")
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--sources", type=int, default=4)
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(work(arguments.folder, arguments.worker)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made = recording(arguments.seconds, arguments.channels, arguments.sources)
        np.savez(folder / "recording.npz", reference=made[0], estimate=made[1])
        found = {engine: [] for engine in ENGINES}
        for round_number in range(arguments.rounds):
            for engine, times in found.items():
                times.append(measure(folder, engine))
                print(f"round {round_number + 1}: {engine}: {times[-1]:.2f} s", flush=True)
        ours, theirs = (np.load(folder / f"{engine}.npy") for engine in ENGINES)
    medians = {engine: statistics.median(times) for engine, times in found.items()}
    described = machine.describe("kerasep", "museval", "numpy", "scipy")
    rows = [
        {
            "engine": engine,
            "median_seconds": round(medians[engine], 3),
            "best_seconds": round(min(times), 3),
            "times_faster_than_museval": round(medians["museval"] / medians[engine], 1),
            "max_difference_db": f"{np.abs(ours - theirs).max():.1e}",
            "rounds": arguments.rounds,
            "audio_seconds": arguments.seconds,
            "channels": arguments.channels,
            "sources": arguments.sources,
            **described,
        }
        for engine, times in found.items()
    ]
    for row in rows:
        print(", ".join(str(value) for value in list(row.values())[:5]))
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
