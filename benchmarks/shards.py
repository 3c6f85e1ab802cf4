"""Counts the training crops a second from prepared shards, beside the recordings' own pipelines.

    python benchmarks/shards.py --rounds 3

needs torch and openunmix (`--no-deps`) beside kerasep. The files, crops, changes and batches are
those of `pipeline.py`: tracks of four stereo stems at 44.1 kHz, crops of six seconds, batches of
16, for vocals. Shards hold the same tracks as int16, as float16 and as spectrograms; the table has
their sizes and how far below the signal their rounding lies. Each measurement is a fresh process.
The tracks fit in memory, where kerasep holds what it has read; "nothing held" stands for data sets
that do not fit.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import machine
import pipeline

FORMATS = ("int16", "float16", "spectrogram")
RESULTS = pathlib.Path(__file__).parent / "results" / "shards.csv"


def model():
    """What the crops are for."""
    from kerasep.models import OpenUnmixLike

    return OpenUnmixLike(
        pipeline.STEMS[:1], pipeline.SAMPLE_RATE, 2, pipeline.N_FFT, pipeline.HOP, hidden=2
    )


def kerasep_batches(folder, spectrograms):
    """Batches of our pipeline, from tracks or from shards."""
    from kerasep import data

    make = data.spectrograms if spectrograms else data.waveforms
    batches = make(
        folder,
        model(),
        batch_size=pipeline.BATCH,
        crop_seconds=pipeline.CROP,
        crops_per_track=pipeline.CROPS_PER_TRACK,
        remix=1.0,
    )
    return batches.repeat()


def nothing_held(folder):
    """Batches of waveforms, each crop read again as if memory were full."""
    from kerasep.data.sampling.held_files import HeldFiles

    HeldFiles.rows = lambda *_: None
    return kerasep_batches(folder, False)


def engines(folder):
    """What is compared: name to function that gives batches."""
    found = {
        f"kerasep waveforms from {kind}": lambda kind=kind: kerasep_batches(folder / kind, False)
        for kind in ("flac/flac/train", "int16", "float16")
    }
    found |= {
        f"kerasep spectrograms from {kind}": lambda kind=kind: kerasep_batches(folder / kind, True)
        for kind in ("flac/flac/train", "int16", "spectrogram")
    }
    for kind in ("flac/flac/train", "int16"):
        name = f"kerasep waveforms from {kind}, nothing held"
        found[name] = lambda kind=kind: nothing_held(folder / kind)
    for spectra in (False, True):
        name = f"openunmix {'spectrograms' if spectra else 'waveforms'} from flac, 2 workers"
        found[name] = lambda spectra=spectra: pipeline.openunmix_batches(
            folder / "flac" / "flac", spectra, 2
        )
    return found


def count(batches, seconds):
    """Give crops a second, after two batches that fill the queues."""
    batches = iter(batches)
    for _ in range(2):
        next(batches)
    start, crops = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(batches)
        crops += pipeline.BATCH
    return crops / (time.perf_counter() - start)


def measure(engine, folder, seconds):
    """Count in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, "--folder", str(folder)]
    output = subprocess.run(
        [*command, "--seconds", str(seconds)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def main():
    """Write tracks and shards, measure round by round, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0, help="of counting, each time")
    parser.add_argument("--tracks", type=int, default=8)
    parser.add_argument("--track-seconds", type=float, default=30.0)
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        batches = engines(arguments.folder)[arguments.worker]()
        print(json.dumps(count(batches, arguments.seconds)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pipeline.write_tracks(folder, arguments.tracks, arguments.track_seconds)
        prepared = prepare_all(folder)
        found = {engine: [] for engine in engines(folder)}
        for number in range(arguments.rounds):
            for engine, rates in found.items():
                rates.append(measure(engine, folder, arguments.seconds))
                print(f"round {number + 1}: {engine}: {rates[-1]:.1f} crops/s", flush=True)
    described = machine.describe("kerasep", "tensorflow", "openunmix", "torch", "soundfile")
    rows = []
    for engine, rates in found.items():
        size, snr = prepared[engine.split(" from ")[1].split(",")[0].split("/")[0]]
        rows.append(
            {
                "pipeline": engine,
                "crops_per_second_median": round(statistics.median(rates), 1),
                "crops_per_second_best": round(max(rates), 1),
                "disk_megabytes": round(size / 1e6, 1),
                "snr_db": snr,
                "rounds": arguments.rounds,
                "tracks": arguments.tracks,
                "crop_seconds": pipeline.CROP,
                "batch": pipeline.BATCH,
                **described,
            }
        )
    machine.write_csv(arguments.out, rows)


def prepare_all(folder):
    """Prepare the tracks in every format; give the size of each on disk, and what it loses."""
    from kerasep import data

    tracks = folder / "flac" / "flac" / "train"
    found = {"flac": (sum(path.stat().st_size for path in tracks.rglob("*.flac")), None)}
    for kind in FORMATS:
        index = data.prepare(tracks, folder / kind, model(), valid=[], format=kind)
        found[kind] = sum(shard["bytes"] for shard in index["train"]["shards"]), index["snr_db"]
    return found


if __name__ == "__main__":
    main()
