"""Counts the training crops a second of kerasep's pipeline and of Open-Unmix's own loader.

    python benchmarks/pipeline.py --rounds 3

needs torch and openunmix (`--no-deps`) beside kerasep. Both read the same files: tracks of four
stereo stems, 44.1 kHz, as WAV and as FLAC. Both draw crops of six seconds, mix stems of different
tracks, vary their gain, swap their channels, and give batches of 16. "waveforms" ends there, where
Open-Unmix's data sets do: with the mixture and one target, ours also with all four sources.
"spectrograms" goes on to what the network and its loss take, the transforms of the mixture and of
one target: with Open-Unmix by its own encoder, which its training step applies to each batch.

Each measurement is a fresh process, and the processes of one round follow one another. Where
torchaudio is not installed a stand-in on soundfile reads for Open-Unmix, seeking in the same way.
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

SAMPLE_RATE, CROP, BATCH, N_FFT, HOP = 44100, 6.0, 16, 4096, 1024
CROPS_PER_TRACK = 64  # in an epoch, as Open-Unmix trains on MUSDB18
STEMS = ("vocals", "drums", "bass", "other")
RESULTS = pathlib.Path(__file__).parent / "results" / "pipeline.csv"


def write_tracks(folder, tracks, seconds):
    """Write the same synthetic songs twice, as WAV and as FLAC."""
    from kerasep import data

    for index in range(tracks):
        for stem, waveform in data.song(index, seconds, SAMPLE_RATE, channels=2).items():
            for suffix in ("wav", "flac"):
                track = folder / suffix / "train" / f"song_{index:02d}"
                track.mkdir(parents=True, exist_ok=True)
                data.write(track / f"{stem}.{suffix}", waveform, SAMPLE_RATE)


def kerasep_batches(folder, spectrograms, sources=STEMS[:1]):
    """Our pipeline: mixtures and sources, or magnitudes and references."""
    from kerasep import data
    from kerasep.models import OpenUnmixLike

    model = OpenUnmixLike(sources, SAMPLE_RATE, 2, N_FFT, HOP, hidden=2)
    make = data.spectrograms if spectrograms else data.waveforms
    batches = make(
        folder / "train",
        model,
        batch_size=BATCH,
        crop_seconds=CROP,
        crops_per_track=CROPS_PER_TRACK,
        remix=1.0,
    )
    return batches.repeat()


def openunmix_batches(folder, spectrograms, workers):
    """Open-Unmix's data set for tracks of fixed sources, behind PyTorch's loader."""
    import torch
    import torchaudio_stand_in

    torchaudio_stand_in.install()
    from openunmix import data, model, transforms

    suffix = folder.name
    dataset = data.FixedSourcesTrackFolderDataset(
        folder,
        target_file=f"vocals.{suffix}",
        interferer_files=[f"{stem}.{suffix}" for stem in STEMS[1:]],
        seq_duration=CROP,
        random_chunks=True,
        random_track_mix=True,
        source_augmentations=data.aug_from_str(["gain", "channelswap"]),
    )
    # The data set counts one crop a track as an epoch; endless draws spare it restarting workers.
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True, num_samples=10**6)
    loader = torch.utils.data.DataLoader(dataset, BATCH, sampler=sampler, num_workers=workers)
    if not spectrograms:
        return loader
    stft, _ = transforms.make_filterbanks(N_FFT, HOP, sample_rate=SAMPLE_RATE)
    encoder = torch.nn.Sequential(stft, model.ComplexNorm(mono=False))
    return ((encoder(mixture), encoder(target)) for mixture, target in loader)


ENGINES = {
    "kerasep waveforms": lambda folder: kerasep_batches(folder, False),
    "kerasep waveforms, all 4 sources": lambda folder: kerasep_batches(folder, False, STEMS),
    "openunmix waveforms, 0 workers": lambda folder: openunmix_batches(folder, False, 0),
    "openunmix waveforms, 2 workers": lambda folder: openunmix_batches(folder, False, 2),
    "kerasep spectrograms": lambda folder: kerasep_batches(folder, True),
    "openunmix spectrograms, 0 workers": lambda folder: openunmix_batches(folder, True, 0),
    "openunmix spectrograms, 2 workers": lambda folder: openunmix_batches(folder, True, 2),
}


def count(engine, folder, seconds):
    """Give crops a second, after two batches that fill the queues."""
    batches = iter(ENGINES[engine](folder))
    for _ in range(2):
        next(batches)
    start, crops = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(batches)
        crops += BATCH
    return crops / (time.perf_counter() - start)


def measure(engine, folder, seconds):
    """Count in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, "--folder", str(folder)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    output = subprocess.run(
        [*command, "--seconds", str(seconds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout
    return json.loads(output.splitlines()[-1])


def main():
    """Write the tracks, measure round by round, and write the table."""
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
        print(json.dumps(count(arguments.worker, arguments.folder, arguments.seconds)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_tracks(folder, arguments.tracks, arguments.track_seconds)
        found = {(suffix, engine): [] for suffix in ("wav", "flac") for engine in ENGINES}
        for round_number in range(arguments.rounds):
            for (suffix, engine), rates in found.items():
                rates.append(measure(engine, folder / suffix, arguments.seconds))
                print(f"round {round_number + 1}: {suffix}, {engine}: {rates[-1]:.1f} crops/s")
    described = machine.describe("kerasep", "tensorflow", "openunmix", "torch", "soundfile")
    machine.write_csv(
        arguments.out,
        [
            {
                "files": suffix,
                "pipeline": engine,
                "crops_per_second_median": round(statistics.median(rates), 1),
                "crops_per_second_best": round(max(rates), 1),
                "rounds": arguments.rounds,
                "tracks": arguments.tracks,
                "crop_seconds": CROP,
                "batch": BATCH,
                **described,
            }
            for (suffix, engine), rates in found.items()
        ],
    )


if __name__ == "__main__":
    main()
