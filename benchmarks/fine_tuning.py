"""Fine-tune a trained model for other sources, beside the same training from random weights.

    python benchmarks/fine_tuning.py [--epochs 10]

Writes synthetic recordings with two stems, vocals and accompaniment, and trains on them
`open_unmix_like/phone`, whose weights know vocals, drums, bass and other. Its network for the
vocals is kept, that for the accompaniment starts from random weights. Prints the SI-SDR on
recordings that were not trained on.
"""

import argparse
import contextlib
import io
import pathlib
import tempfile
import time

import keras
import numpy as np

from kerasep import data, evaluation, training, zoo

PRESET = "open_unmix_like/phone"
SOURCES = ["vocals", "accompaniment"]
COUNTS = {"train": 4, "valid": 1, "test": 2}
SECONDS = 6.0
CROPS = {"batch_size": 4, "crop_seconds": 3.0, "crops_per_track": 8, "remix": 0.5}
STARTS = {
    "random weights": {"weights": False},
    PRESET: {"weights": PRESET},
    f"{PRESET}, vocals frozen": {"weights": PRESET, "freeze": ["vocals_*"]},
}


def scores(model, folder):
    """Mean SI-SDR of each source over the tracks of a folder, in dB."""
    rows = evaluation.evaluate(model, folder, measures=["si_sdr"], oracles=False)
    return [
        np.mean([row["si_sdr"] for row in rows if row["source"] == source]) for source in SOURCES
    ]


def main():
    """Train from each start, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    epochs = parser.parse_args().epochs
    steps = epochs * COUNTS["train"] * CROPS["crops_per_track"] // CROPS["batch_size"]
    print("| start | steps | vocals | accompaniment | seconds |", "|---|---|---|---|---|", sep="\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for seed, (part, count) in enumerate(COUNTS.items(), 100):
            data.write_songs(folder / part, count, seed, SECONDS, 44100, 2, SOURCES)
        for number, (start, options) in enumerate(STARTS.items()):
            keras.utils.set_random_seed(0)
            model = zoo.load(PRESET, options["weights"], sources=SOURCES)
            recipe = {"epochs": epochs, "freeze": options.get("freeze"), "data": CROPS}
            began = time.monotonic()
            with contextlib.redirect_stdout(io.StringIO()):
                training.train(
                    model, folder / "train", folder / str(number), folder / "valid", recipe=recipe
                )
            seconds = time.monotonic() - began
            best = zoo.load(folder / str(number))
            levels = " | ".join(f"{level:.1f}" for level in scores(best, folder / "test"))
            print(f"| {start} | {steps} | {levels} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
