"""Times the first batch, and the check, of a data set of very many files.

    python benchmarks/many_files.py --files 100000

The files are copies of a tenth of a second of noise, mono 16-bit WAV at 16 kHz: as recordings of
100 speakers, and as tracks of four stems. Each measurement is a fresh process, and begins when
TensorFlow is imported. Runs with an index find that of the run before. All files are in the memory
of the operating system; `directory scan` is what `os.scandir` and a `stat` per file take.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import sys
import tempfile
import time
import types

import fresh_process
import machine
import numpy as np

RESULTS = pathlib.Path(__file__).parent / "results" / "many_files.csv"
STEMS = ("vocals", "drums", "bass", "other")
SPEAKERS = 100
LAYOUTS = {"speakers": ("speaker_1", "speaker_2"), "tracks": STEMS}
RUNS = ("first batch, no index", "first batch, index", "check, no index", "check, index")


def write_files(top, layout, count):
    """Copy one file to all places of a layout in a folder."""
    from kerasep import data

    noise = np.random.default_rng(0).normal(0, 0.1, (1600, 1)).astype("float32")
    data.write(top.with_suffix(".wav"), noise, 16_000)
    content = top.with_suffix(".wav").read_bytes()
    for number in range(count):
        if layout == "speakers":
            place = top / f"speaker{number % SPEAKERS:03d}" / f"{number:06d}.wav"
        else:
            place = top / f"track{number // 4:06d}" / f"{STEMS[number % 4]}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    time.sleep(3)  # the index leaves out files that have just changed


def scan(folder):
    """Count the files below a folder, with a `stat` for each."""
    count = 0
    for entry in os.scandir(folder):
        if entry.is_dir():
            count += scan(entry.path)
        else:
            entry.stat()
            count += 1
    return count


def work(what, folder, sources):
    """Do what is measured; return its seconds on the clock and of the processor."""
    from kerasep import data

    model = types.SimpleNamespace(sources=sources, sample_rate=16_000, channels=1)
    make = data.waveforms  # imports TensorFlow
    start, before = time.perf_counter(), time.process_time()
    if what == "directory scan":
        scan(folder)
    elif what.startswith("check"):
        data.check(folder)
    else:
        batches = make(folder, model, batch_size=4, crop_seconds=0.1, crops_per_track=1)
        next(iter(batches))
    return time.perf_counter() - start, time.process_time() - before


def main():
    """Write the files, measure each layout, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--layouts", nargs="+", default=[*LAYOUTS])
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        clock, processor = work(arguments.worker, arguments.folder, LAYOUTS[arguments.layouts[0]])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        measured = {
            "seconds": round(clock, 2),
            "processor_seconds": round(processor, 2),
            "peak_megabytes": round(peak),
        }
        print(json.dumps(measured))
        return
    rows = []
    for layout in arguments.layouts:
        with tempfile.TemporaryDirectory() as name:
            folder, cache = pathlib.Path(name) / "files", pathlib.Path(name) / "cache"
            write_files(folder, layout, arguments.files)
            for run in ("directory scan", *RUNS):
                if run.endswith("no index"):
                    shutil.rmtree(cache, ignore_errors=True)
                command = [sys.executable, __file__, "--worker", run, "--layouts", layout]
                measured = fresh_process.measured(
                    run, [*command, "--folder", str(folder)], KERASEP_CACHE=str(cache)
                )
                print(f"{layout}: {run}: {measured}", flush=True)
                described = machine.describe("kerasep", "tensorflow", "soundfile")
                rows.append(
                    {"layout": layout, "run": run, "files": arguments.files, **measured} | described
                )
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
