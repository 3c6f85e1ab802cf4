"""Collect recorded speech of at least fifty speakers, 16 kHz mono FLAC of 20 seconds each.

    zoo/speech/sources.sh sources
    python zoo/speech/voices.py sources calls/speech
    python zoo/speech/voices.py sources babble --use babble

Gathers what is in the folder of the sources that sources.json lists; README.md has their licences.
Prompts are short, so those of a voice are joined. Each is used several times, resampled so that it
sounds like a larger or a smaller speaker. Speakers of the babble are not those of the speech.
"""

import argparse
import itertools
import json
import pathlib
import re

import av
import numpy as np
import soxr

from kerasep import data
from kerasep.errors import InputError

SOURCES = json.loads(pathlib.Path(__file__).with_name("sources.json").read_text())
SAMPLE_RATE = 16000
SECONDS = 20.0
MOST = 80  # recordings of a voice, so that none outweighs the others; sources.json may say more
TAKES = 3  # of each prompt
FACTORS = 0.62, 1.15  # of pitch and formants; more often lower, as few of the voices are deep
LEVEL = -25.0  # of each prompt, in dB of full scale
CONTRAST = 25.0  # dB of the loudest frames over the softest, below which a recording has noise
DIGITAL_SILENCE = -90.0  # in dB; frames below it hold no noise to measure
FRAME = 320
MARGIN = 3200  # samples around the speech in which noise is measured


def read(path):
    """Return the samples of a recording, mono at 16 kHz, or none of a damaged one."""
    if path.suffix != ".g722":  # which has no header
        try:
            return data.read(path, SAMPLE_RATE)[0].mean(axis=1)
        except InputError:
            return np.zeros(0, "float32")
    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate([np.zeros(0), *frames]).astype("float32") / 2**15


def trimmed(samples, margin=0):
    """Return the samples without silence at the ends, but for a margin."""
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max(initial=0))
    return samples[max(0, loud[0] - margin) : loud[-1] + 1 + margin] if loud.size else samples[:0]


def contrast(samples):
    """Compute how many dB the loudest frames of speech are above the softest around it."""
    samples = trimmed(samples, MARGIN)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    decibels = 10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12)
    decibels = decibels[decibels > DIGITAL_SILENCE]
    return np.percentile(decibels, 95) - np.percentile(decibels, 5) if decibels.size else 0.0


def at_pitch(samples, factor):
    """Resample so that pitch and formants are higher by a factor, and the tempo too."""
    return soxr.resample(samples, SAMPLE_RATE * factor, SAMPLE_RATE)


def levelled(samples):
    """Scale to the level of all prompts."""
    gain = 10 ** (LEVEL / 20) / np.sqrt(np.mean(np.square(samples)))
    return np.clip(samples * np.float32(gain), -1, 1)


def recordings(folder, use):
    """Return the paths of each voice in a folder of downloads: those of speech, or of babble."""
    voices = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        for name, source in SOURCES.items():
            match = re.search("(?:^|/)" + source[use] + "$", place) if use in source else None
            if match and not re.search(source.get("not", "^$"), place):
                voice = f"{name}_{match[1]}".replace(" ", "-")
                voices.setdefault(voice, []).append(path)
    return voices


def most(voice):
    """Return how many recordings are made of a voice."""
    return SOURCES[voice.split("_")[0]].get("most", MOST)


def prompts(paths):
    """Return the prompts without much noise; those of damaged files are left out too."""
    readable = (read(path) for path in paths)
    return [trimmed(samples) for samples in readable if contrast(samples) >= CONTRAST]


def joined(spoken, rng):
    """Yield recordings of full length: prompts of a voice in random order, at random pitch."""
    parts, length, factor = [], 0, None
    for _ in range(TAKES):
        for place in rng.permutation(len(spoken)):
            factor = factor or np.exp(rng.uniform(*np.log(FACTORS)))
            prompt = levelled(at_pitch(spoken[place], factor))
            pause = np.zeros(int(rng.uniform(0.1, 0.6) * SAMPLE_RATE), "float32")
            parts += [prompt, pause]
            length += len(prompt) + len(pause)
            if length > SECONDS * SAMPLE_RATE:
                yield np.concatenate(parts)
                parts, length, factor = [], 0, None


def main(folder, out, use):
    """Join the prompts of each voice."""
    voices = recordings(folder, use)
    if not voices:
        raise SystemExit(f"received {folder}, expected what sources.sh downloads in it")
    out.mkdir(parents=True, exist_ok=True)
    for voice, paths in voices.items():
        spoken = prompts(paths)
        made = itertools.islice(joined(spoken, np.random.default_rng(0)), most(voice))
        number = 0
        for number, speech in enumerate(made, 1):
            data.write(out / f"{voice}_{number:03}.flac", speech[:, None], SAMPLE_RATE, bits=16)
        print(f"{voice}: {len(spoken)} of {len(paths)} prompts, {number} recordings")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--use", choices=("speech", "babble"), default="speech")
    main(**vars(parser.parse_args()))
