"""Make noise of many kinds, 16 kHz mono FLAC: what is around a telephone, synthetic but varied.

    python zoo/speech/noises.py calls/noise --minutes 120 --babble babble --music sources

`--babble` is a folder of voices, none of them in the speech, and `--music` one with .g722 files of
Debian's asterisk-moh-opsound-g722.
"""

import argparse
import pathlib

import numpy as np
import scipy.signal
from voices import read

from kerasep import data

RATE = 16000
SECONDS = 20.0
SAMPLES = int(SECONDS * RATE)
LEVEL = -25.0  # of each recording, in dB of full scale
# Of 100 recordings. Noise of steady level and of strokes is the most common around microphones,
# and a model that learns from much babble takes voices in rooms for noise.
SHARES = {
    "coloured": 36,
    "gusts": 10,
    "hum": 8,
    "strokes": 20,
    "signals": 10,
    "babble": 8,
    "music": 8,
}


def coloured(rng, slope=None):
    """Stationary noise whose power falls by a power of frequency, in a random band or not."""
    spectrum = np.fft.rfft(rng.standard_normal(SAMPLES))
    slope = rng.uniform(-0.3, 0.9) if slope is None else slope
    spectrum[1:] *= np.arange(1.0, len(spectrum)) ** -slope
    # A few broad resonances, as rooms and machines have them.
    frequency = np.linspace(0, RATE / 2, len(spectrum))
    for _ in range(rng.integers(0, 4)):
        centre, width = np.exp(rng.uniform(np.log(100), np.log(7000))), rng.uniform(0.1, 0.6)
        ratio = np.log(np.maximum(frequency, 1) / centre) / width
        spectrum *= 10 ** (rng.uniform(-15, 20) * np.exp(-np.square(ratio)) / 20)
    return np.fft.irfft(spectrum, SAMPLES)


def wavering(rng, slowest, fastest):
    """Return a positive envelope that changes at random, at rates in Hz."""
    rate = np.exp(rng.uniform(np.log(slowest), np.log(fastest)))
    points = rng.uniform(-1, 1, int(SECONDS * rate) + 3)
    at = np.arange(SAMPLES) * rate / RATE
    return 10 ** (np.interp(at, np.arange(len(points)), points) * rng.uniform(3, 15) / 20)


def gusts(rng):
    """Wind, traffic, water: coloured noise that swells and falls."""
    return coloured(rng) * wavering(rng, 0.2, 8.0)


def hum(rng):
    """Mains, engines and fans: harmonics of a pitch that may drift, over soft noise."""
    pitch = rng.choice([50.0, 60.0, 100.0, np.exp(rng.uniform(np.log(25), np.log(400)))])
    pitch = pitch * wavering(rng, 0.05, 1.0) ** rng.choice([0.0, 0.05, 0.2])
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    slope = rng.uniform(0.3, 1.5)
    partials = range(1, min(60, int(RATE / 2 / pitch.max())) + 1)
    wave = sum(
        np.sin(number * phase + rng.uniform(0, 2 * np.pi)) * number**-slope * rng.uniform(0.1, 1)
        for number in partials
    )
    return _mixed(wave, coloured(rng), rng.uniform(0, 25))


def strokes(rng):
    """Keyboards, dishes, steps, doors: short resonant sounds at random or regular times."""
    wave = np.zeros(SAMPLES)
    pace = np.exp(rng.uniform(np.log(0.7), np.log(14)))
    gaps = rng.exponential(1 / pace, int(SECONDS * pace * 2) + 8)
    times = np.cumsum(gaps if rng.random() < 0.7 else np.full(len(gaps), 1 / pace))
    low, high = np.sort(np.exp(rng.uniform(np.log(80), np.log(7000), 2)))
    decay, noisiness = np.exp(rng.uniform(np.log(0.003), np.log(0.3))), rng.uniform(0, 1)
    time = np.arange(int(min(4 * decay, 1.0) * RATE) + 32) / RATE
    for start in (times[times < SECONDS] * RATE).astype(int):
        falling = np.exp(-time / (decay * rng.uniform(0.5, 1.5)))
        tones = sum(
            np.sin(2 * np.pi * rng.uniform(low, high + 1) * time) * rng.uniform(0.2, 1)
            for _ in range(4)
        )
        burst = scipy.signal.lfilter(
            [1.0], [1.0, rng.uniform(-0.9, 0.5)], rng.standard_normal(len(time))
        )
        stroke = falling * ((1 - noisiness) * tones + noisiness * burst) * rng.uniform(0.1, 1)
        end = min(SAMPLES, start + len(stroke))
        wave[start:end] += stroke[: end - start]
    return _mixed(wave, coloured(rng), rng.uniform(5, 35))


def signals(rng):
    """Rings, alarms, birds: tones that sweep and repeat."""
    wave, start = np.zeros(SAMPLES), 0
    low, high = np.sort(np.exp(rng.uniform(np.log(150), np.log(6000), 2)))
    while start < SAMPLES:
        length = int(np.exp(rng.uniform(np.log(0.04), np.log(1.5))) * RATE)
        sweep = np.linspace(rng.uniform(low, high), rng.uniform(low, high), length)
        tone = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * np.hanning(length) ** 0.3
        end = min(SAMPLES, start + length)
        wave[start:end] += tone[: end - start] * rng.uniform(0.2, 1)
        start = end + int(rng.exponential(rng.uniform(0.05, 1.0)) * RATE)
    return _mixed(wave, coloured(rng), rng.uniform(0, 30))


def babble(rng, speech):
    """Several voices far away, of recordings that are already read."""
    wave = np.zeros(SAMPLES)
    for _ in range(rng.integers(4, 12)):
        voice = speech[rng.integers(len(speech))]
        pitch = rng.uniform(0.8, 1.25)  # other voices than those of the targets
        voice = np.interp(np.arange(0, len(voice) - 1, pitch), np.arange(len(voice)), voice)
        wave += np.roll(np.resize(voice, SAMPLES), rng.integers(SAMPLES)) * rng.uniform(0.2, 1)
    decay = rng.uniform(0.1, 0.5)
    tail = rng.standard_normal(int(decay * RATE)) * np.geomspace(1, 1e-3, int(decay * RATE))
    return _mixed(scipy.signal.fftconvolve(wave, tail)[:SAMPLES], coloured(rng), rng.uniform(5, 30))


def music(rng, songs):
    """A place in a song, as a loudspeaker plays it in a room."""
    song = songs[rng.integers(len(songs))]
    start = rng.integers(max(1, len(song) - SAMPLES))
    wave = np.resize(song[start : start + SAMPLES], SAMPLES)
    low, high = rng.uniform(60, 400), rng.uniform(2500, 7500)
    band = scipy.signal.butter(2, (low, high), "bandpass", fs=RATE, output="sos")
    return _mixed(scipy.signal.sosfilt(band, wave), coloured(rng), rng.uniform(10, 40))


def _mixed(wave, background, decibels):
    """Add a background that is so many decibels softer."""
    power = np.mean(np.square(wave)) / max(np.mean(np.square(background)), 1e-12)
    return wave + background * np.sqrt(power * 10 ** (-decibels / 10))


def _all(folder, pattern):
    """Read all recordings of a folder."""
    paths = sorted(folder.rglob(pattern))
    if not paths:
        raise SystemExit(f"received {folder}, expected {pattern} in it")
    return [read(path) for path in paths]


def makers(babble_folder, music_folder):
    """Return the functions of all kinds of noise that can be made, by name."""
    kinds = {kind.__name__: kind for kind in (coloured, gusts, hum, strokes, signals)}
    if babble_folder:
        voices = _all(babble_folder, "*.flac")
        kinds["babble"] = lambda rng: babble(rng, voices)
    if music_folder:
        songs = _all(music_folder, "moh/*.g722")
        kinds["music"] = lambda rng: music(rng, songs)
    return kinds


def drawn(kinds, rng):
    """Return noise of a kind, drawn by its share; sometimes two kinds at once, `(samples,)`."""
    names = list(kinds)
    shares = np.array([SHARES[name] for name in names], "float64")
    first, second = rng.choice(names, 2, p=shares / shares.sum())
    wave = kinds[first](rng)
    if rng.random() < 0.2:
        wave = _mixed(wave, kinds[second](rng), rng.uniform(0, 10))
    return wave * 10 ** (LEVEL / 20) / np.sqrt(np.mean(np.square(wave)))


def main(out, minutes, babble_folder, music_folder):
    """Write recordings of 20 seconds."""
    out.mkdir(parents=True, exist_ok=True)
    kinds = makers(babble_folder, music_folder)
    for number in range(round(minutes * 60 / SECONDS)):
        wave = np.clip(drawn(kinds, np.random.default_rng(number)), -1, 1).astype("float32")
        data.write(out / f"noise_{number:04}.flac", wave[:, None], RATE, bits=16)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--babble", type=pathlib.Path, dest="babble_folder")
    parser.add_argument("--music", type=pathlib.Path, dest="music_folder")
    main(**vars(parser.parse_args()))
