"""Mixtures of two speakers out of single spoken words: examples without end, or a folder of tracks.

    python zoo/two_speakers/mixtures.py recordings mixtures --first 5 --last 9

writes folders that `kerasep train` and `kerasep evaluate` take, each with speaker_1.wav and
speaker_2.wav. The files of the recordings are called <word>_<speaker>_<index>.wav. Words of one
speaker are joined end to end, and mixed with those of another, who is 0 to 5 dB softer.
"""

import argparse
import pathlib

import numpy as np

from kerasep import data

RATE = 8000
SOURCES = ("speaker_1", "speaker_2")


def words(folder, first, last):
    """Read the recordings with indices from first to last: dict from speaker to list of arrays."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*_*_*.wav")):
        _, speaker, index = path.stem.split("_")
        if first <= int(index) <= last:
            waveform, _ = data.read(path, sample_rate=RATE)
            found.setdefault(speaker, []).append(waveform.mean(axis=1))
    return found


def voice(rng, spoken, samples):
    """Words of one speaker, end to end, each as loud as the others, cut anywhere: `(samples,)`."""
    parts, length = [], 0
    start = int(rng.integers(RATE // 2))
    while length < samples + start:
        word = spoken[rng.integers(len(spoken))]
        parts.append(word / (np.sqrt(np.mean(np.square(word))) + 1e-6))
        length += len(word)
    return np.concatenate(parts)[start : start + samples]


def example(rng, found, samples):
    """Two speakers `(samples, 1, 2)`; the mixture is their sum, its largest value below 0.9."""
    pair = rng.permutation(sorted(found))[:2]
    both = np.stack([voice(rng, found[speaker], samples) for speaker in pair], axis=-1)
    both[:, 1] *= 10 ** (-rng.uniform(0, 5) / 20)
    both *= 0.9 * rng.uniform(0.3, 1) / np.abs(both.sum(axis=-1)).max()
    return both[:, None, rng.permutation(2)].astype("float32")


def main():
    """Write a folder of tracks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recordings", help="folder of <word>_<speaker>_<index>.wav")
    parser.add_argument("out", type=pathlib.Path, help="folder that gets the tracks")
    parser.add_argument("--first", type=int, default=5, help="lowest index that is used")
    parser.add_argument("--last", type=int, default=9, help="highest index that is used")
    parser.add_argument("--tracks", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = words(options.recordings, options.first, options.last)
    rng = np.random.default_rng(options.seed)
    for number in range(options.tracks):
        both = example(rng, found, round(options.seconds * RATE))
        folder = options.out / f"{number:05d}"
        folder.mkdir(parents=True)
        for index, source in enumerate(SOURCES):
            data.write(folder / f"{source}.wav", both[..., index], RATE)


if __name__ == "__main__":
    main()
