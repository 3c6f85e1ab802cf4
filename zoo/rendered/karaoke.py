"""Put recorded voices over rendered bands, as tracks of six seconds, 16 kHz mono.

    python zoo/rendered/karaoke.py songs tracks --voices mir1k/train mir1k/more

`songs` comes from render.py. `tracks` also gets the recordings themselves, so that it is one data
set for training. Which voice a band gets is left to chance, since training mixes them anew.
"""

import argparse
import pathlib
import random
import shutil

import numpy as np
import soundfile
import soxr

RATE, SECONDS, SKIPPED = 16000, 6, 2
LEVEL, PEAK, SILENCE = 0.1, 0.95, 0.01


def band(song):
    """Return a rendered song as one mono waveform at the rate of the voices."""
    stems = [soundfile.read(path, dtype="float32") for path in sorted(song.glob("*.flac"))]
    mono = sum(waveform.mean(axis=1) for waveform, _ in stems)
    return soxr.resample(mono, stems[0][1], RATE)


def parts(waveform):
    """Yield the parts of a band that are not silent, at one level."""
    samples = SECONDS * RATE
    for start in range(SKIPPED * RATE, len(waveform) - samples + 1, samples):
        part = waveform[start : start + samples]
        level = np.sqrt(np.mean(np.square(part)))
        if level > SILENCE:
            part = part * (LEVEL / level)
            yield part * min(1.0, PEAK / np.abs(part).max())


def main():
    """Write the tracks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("songs", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--voices", type=pathlib.Path, nargs="+", required=True)
    arguments = parser.parse_args()
    clips = [clip for folder in arguments.voices for clip in sorted(folder.iterdir())]
    for clip in clips:
        shutil.copytree(clip, arguments.out / f"{clip.parent.name}_{clip.name}")
    draw = random.Random(0)
    for song in sorted(arguments.songs.iterdir()):
        for number, part in enumerate(parts(band(song))):
            track = arguments.out / f"{song.name}_{number}"
            track.mkdir()
            voice = soundfile.read(draw.choice(clips) / "vocals.flac", dtype="float32")[0]
            voice = np.pad(voice, (0, max(0, len(part) - len(voice))))[: len(part)]
            soundfile.write(track / "accompaniment.flac", part, RATE)
            soundfile.write(track / "vocals.flac", voice, RATE)


if __name__ == "__main__":
    main()
