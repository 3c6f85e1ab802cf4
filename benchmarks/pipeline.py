"""Counts the training crops a second of kerasep's pipeline and of other projects' own loaders.

    python benchmarks/pipeline.py --rounds 3

needs torch, openunmix and asteroid (`--no-deps`) beside kerasep. All read the same files: tracks of
four stereo stems, 44.1 kHz, as WAV of 32-bit floats, as 16-bit WAV and as 16-bit FLAC. All draw
crops of six seconds, mix stems of different tracks, vary their gain, swap their channels, and give
batches of 16. "waveforms" ends there, where the others' data sets do: with the mixture and one
target, ours also with all four sources. "spectrograms" goes on to what the network and its loss
take, the transforms of the mixture and of one target: with Open-Unmix by its own encoder, which its
training step applies to each batch.

Each measurement is a fresh process, and the processes of one round follow one another. Beside the
rate stands the processor time of a crop, all processes together, which depends less on what else
the machine does. A second table has the memory of a process that reads an hour of audio, at every
tenth of it. Where torchaudio is not installed a stand-in on soundfile reads for Open-Unmix, seeking
in the same way.
"""

import argparse
import importlib.util
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
KINDS = {"wav float": ("wav", "FLOAT"), "wav 16 bit": ("wav", "PCM_16"), "flac": ("flac", "PCM_16")}
RESULTS = pathlib.Path(__file__).parent / "results" / "pipeline.csv"


def write_tracks(folder, tracks, seconds):
    """Write the same synthetic songs in every kind of file: `folder/<kind>/<suffix>/train/`."""
    import soundfile

    from kerasep import data

    for index in range(tracks):
        for stem, waveform in data.song(index, seconds, SAMPLE_RATE, channels=2).items():
            for kind, (suffix, subtype) in KINDS.items():
                track = folder / kind / suffix / "train" / f"song_{index:02d}"
                track.mkdir(parents=True, exist_ok=True)
                soundfile.write(track / f"{stem}.{suffix}", waveform, SAMPLE_RATE, subtype)


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


def asteroid_batches(folder, workers):
    """Asteroid's data set for MUSDB18-HQ, behind PyTorch's loader; the augmentation is borrowed."""
    import torch
    import torchaudio_stand_in

    torchaudio_stand_in.install()
    from openunmix.data import aug_from_str

    # The file alone: the package's own imports ask for libraries that this one does not need.
    package = pathlib.Path(importlib.util.find_spec("asteroid").origin).parent
    spec = importlib.util.spec_from_file_location(
        "musdb18_dataset", package / "data" / "musdb18_dataset.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dataset = module.MUSDB18Dataset(
        folder,
        sources=STEMS,
        targets=STEMS[:1],
        suffix=f".{folder.name}",
        segment=CROP,
        random_segments=True,
        random_track_mix=True,
        source_augmentations=aug_from_str(["gain", "channelswap"]),
        sample_rate=SAMPLE_RATE,
    )
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True, num_samples=10**6)
    return torch.utils.data.DataLoader(dataset, BATCH, sampler=sampler, num_workers=workers)


ENGINES = {
    "kerasep waveforms": lambda folder: kerasep_batches(folder, False),
    "kerasep waveforms, all 4 sources": lambda folder: kerasep_batches(folder, False, STEMS),
    "openunmix waveforms, 0 workers": lambda folder: openunmix_batches(folder, False, 0),
    "openunmix waveforms, 2 workers": lambda folder: openunmix_batches(folder, False, 2),
    "asteroid waveforms, 2 workers": lambda folder: asteroid_batches(folder, 2),
    "kerasep spectrograms": lambda folder: kerasep_batches(folder, True),
    "openunmix spectrograms, 0 workers": lambda folder: openunmix_batches(folder, True, 0),
    "openunmix spectrograms, 2 workers": lambda folder: openunmix_batches(folder, True, 2),
}


def processor_seconds():
    """Time that this process and its children have had, where Linux tells."""
    ticks = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = path.parent.name, path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has just ended
        if str(os.getpid()) in (name, fields[1]):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def count(engine, folder, seconds):
    """Give crops a second and processor milliseconds a crop, after two batches."""
    batches = iter(ENGINES[engine](folder))
    for _ in range(2):
        next(batches)
    start, spent, crops = time.perf_counter(), processor_seconds(), 0
    while time.perf_counter() - start < seconds:
        next(batches)
        crops += BATCH
    rate = crops / (time.perf_counter() - start)
    return rate, 1000 * (processor_seconds() - spent) / crops


def memory(folder):
    """Give the memory in MiB after each tenth of an hour of audio."""
    batches = iter(kerasep_batches(folder, False))
    found = []
    for _ in range(10):
        for _ in range(round(360 / CROP / BATCH)):
            next(batches)
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        found.append(pages * os.sysconf("SC_PAGE_SIZE") >> 20)
    return found


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
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        if arguments.worker == "memory":
            print(json.dumps(memory(arguments.folder)))
        else:
            print(json.dumps(count(arguments.worker, arguments.folder, arguments.seconds)))
        os._exit(0)  # without waiting for the loaders' processes
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_tracks(folder, arguments.tracks, arguments.track_seconds)
        folders = {kind: folder / kind / suffix for kind, (suffix, _) in KINDS.items()}
        found = {(kind, engine): [] for kind in KINDS for engine in ENGINES}
        for round_number in range(arguments.rounds):
            for (kind, engine), figures in found.items():
                figures.append(measure(engine, folders[kind], arguments.seconds))
                rate, spent = figures[-1]
                print(f"round {round_number + 1}: {kind}, {engine}: {rate:.1f} /s, {spent:.1f} ms")
        hour = {kind: measure("memory", folders[kind], 0) for kind in KINDS}
    described = machine.describe(
        "kerasep", "tensorflow", "openunmix", "asteroid", "torch", "soundfile"
    )
    machine.write_csv(
        arguments.out,
        [
            {
                "files": kind,
                "pipeline": engine,
                "crops_per_second_median": round(statistics.median(r for r, _ in figures), 1),
                "crops_per_second_best": round(max(r for r, _ in figures), 1),
                "processor_ms_per_crop": round(statistics.median(s for _, s in figures), 2),
                "rounds": arguments.rounds,
                "tracks": arguments.tracks,
                "crop_seconds": CROP,
                "batch": BATCH,
                **described,
            }
            for (kind, engine), figures in found.items()
        ],
    )
    machine.write_csv(
        arguments.out.with_name("pipeline_memory.csv"),
        [
            {"files": kind, "minutes_of_audio": 6 * (tenth + 1), "memory_mib": mib, **described}
            for kind, found in hour.items()
            for tenth, mib in enumerate(found)
        ],
    )


if __name__ == "__main__":
    main()
