"""How much of a training step is spent waiting for data.

    python benchmarks/utilisation.py --steps 40

Presets are trained on the CPU by their own recipes, from FLAC songs of four stereo stems, with the
pipeline that `kerasep.training.train` uses. `waiting` is the share of the time in which the
training step stood still for the next batch. `utilisation` is the time of a step on a batch that is
there already, over that of a step with the pipeline at work: on a CPU, reading also takes
processor time from the step, which waiting does not show. Steps on a batch that is there and steps
on fresh ones follow one another in blocks, and the medians of the blocks are given.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

import machine

PRESETS = ("open_unmix_like/small", "unet_like")
RESULTS = pathlib.Path(__file__).parent / "results" / "utilisation.csv"
BLOCKS = 4


def write_songs(folder, songs, seconds):
    """Write synthetic songs as FLAC, four stems each."""
    from kerasep import data

    for index in range(songs):
        for stem, waveform in data.song(index, seconds, 44100, channels=2).items():
            track = folder / f"song_{index:02d}"
            track.mkdir(parents=True, exist_ok=True)
            data.write(track / f"{stem}.flac", waveform, 44100)


def measure(preset, folder, steps, batch_size):
    """Train a preset for so many steps in blocks; return the row's figures."""
    from kerasep import data, zoo
    from kerasep.training import recipes

    model = zoo.load(preset)
    recipes.compile_model(model, model.recipe)
    make = data.spectrograms if model.domain == "spectrogram" else data.waveforms
    settings = model.recipe["data"] | ({"batch_size": batch_size} if batch_size else {})
    # Epochs far longer than the run: what an epoch's first batch costs is not counted.
    batches = iter(make(folder, model, **settings | {"crops_per_track": 10_000}))
    held = next(batches)
    model.train_on_batch(*held)
    alone, together, waiting = [], [], []
    for _ in range(BLOCKS):
        began = time.perf_counter()
        for _ in range(steps // BLOCKS):
            model.train_on_batch(*held)
        alone.append((time.perf_counter() - began) / (steps // BLOCKS))
        next(batches)  # read while nothing waited for it
        waited, began = 0.0, time.perf_counter()
        for _ in range(steps // BLOCKS):
            before = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - before
            model.train_on_batch(*batch)
        taken = time.perf_counter() - began
        together.append(taken / (steps // BLOCKS))
        waiting.append(waited / taken)
    return {
        "preset": preset,
        "batch_size": settings["batch_size"],
        "crop_seconds": settings["crop_seconds"],
        "steps": steps,
        "step_ms_on_a_held_batch": round(1000 * statistics.median(alone), 1),
        "step_ms_with_the_pipeline": round(1000 * statistics.median(together), 1),
        "waiting": round(statistics.median(waiting), 4),
        "utilisation": round(statistics.median(alone) / statistics.median(together), 3),
    }


def main():
    """Measure each preset and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch-size", type=int, help="instead of the recipes'")
    parser.add_argument("--songs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_songs(pathlib.Path(folder), arguments.songs, arguments.seconds)
        for preset in arguments.presets:
            row = measure(preset, folder, arguments.steps, arguments.batch_size)
            rows.append(row | machine.describe("kerasep", "keras", "tensorflow"))
            print(row)
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
