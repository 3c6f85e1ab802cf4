"""Collect read speech of six voices, 16 kHz mono FLAC of about 20 seconds each.

    apt-get install asterisk-core-sounds-{en,es,fr,it,ru}-g722 festvox-ru
    python zoo/speech/voices.py /usr/share/asterisk/sounds calls/speech
    python zoo/speech/voices.py /usr/share/festival/voices/russian calls/speech

The prompts of a telephone exchange are often shorter than a crop, so those of a voice are joined.
"""

import argparse
import pathlib

import av
import numpy as np

from kerasep import data

SAMPLE_RATE = 16000
SECONDS = 20.0
MOST = 80  # recordings of a voice, so that none outweighs the others
LEVEL = -25.0  # of each prompt, in dB of full scale
LEFT_OUT = {"silence"}
TONES = ("beep", "tone", "dir-intro-fn", "hello-world-tone")


def read(path):
    """Return the samples of a recording without silence at its ends; G.722 has no header."""
    if path.suffix == ".g722":
        with av.open(str(path), format="g722") as container:
            frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        samples = np.concatenate([np.zeros(0), *frames]).astype("float32") / 2**15
    else:
        samples = data.read(path, SAMPLE_RATE)[0].mean(axis=1)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max(initial=0))
    return samples[loud[0] : loud[-1]] if loud.size else samples[:0]


def recordings(folder):
    """Yield voice and path of every recording: the voice is the first folder in `folder`."""
    for path in sorted(folder.rglob("*")):
        names = path.relative_to(folder).parts
        is_speech = path.suffix in (".g722", ".wav", ".flac") and not LEFT_OUT & set(names)
        if is_speech and not any(tone in path.stem for tone in TONES):
            yield names[0], path


def main(folder, out):
    """Join the prompts of each voice."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    joined, numbers = {}, {}
    for voice, path in recordings(folder):
        if numbers.get(voice) == MOST:
            continue
        samples = read(path)
        power = np.mean(np.square(samples)) if samples.size else 0
        if power < 1e-8:
            continue
        samples = np.clip(samples * np.float32(10 ** (LEVEL / 20) / np.sqrt(power)), -1, 1)
        pause = np.zeros(int(rng.uniform(0.1, 0.6) * SAMPLE_RATE), "float32")
        parts = joined.setdefault(voice, [])
        parts += [samples, pause]
        if sum(map(len, parts)) > SECONDS * SAMPLE_RATE:
            number = numbers[voice] = numbers.get(voice, 0) + 1
            speech = np.concatenate(joined.pop(voice))[:, None]
            data.write(out / f"{voice}_{number:03}.flac", speech, SAMPLE_RATE, bits=16)
    print(", ".join(f"{voice}: {number}" for voice, number in numbers.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    main(**vars(parser.parse_args()))
