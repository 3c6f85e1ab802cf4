"""The instruments of synthetic songs: a singer, drums, a bass and chords, in NumPy.

Each function returns a mono waveform `(samples,)`. Pitch, loudness and formants are curves with one
point every `_STEP` samples.
"""

from typing import NamedTuple

import numpy as np

_STEP = 64
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 0, 4), (0, 2, 3, 4), (0, 5, 1, 4))
# First three formants in Hz of a, e, i, o, u sung by a man (after Peterson and Barney, 1952).
_VOWELS = np.array(
    [[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240]]
)


class Score(NamedTuple):
    """Tempo, key, scale and chords, which the instruments share."""

    beat: float  # in seconds
    key: int  # MIDI note of C to B
    scale: tuple
    chords: tuple

    @classmethod
    def draw(cls, rng):
        """Draw tempo, key, mode and chord progression."""
        scale = _MAJOR if rng.random() < 0.5 else _MINOR
        chords = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
        return cls(60 / rng.uniform(80, 150), int(rng.integers(12)), scale, chords)

    def note(self, bar, step):
        """Return the pitch class of a step (0 root, 2 third, 4 fifth) of the chord of a bar."""
        return (self.key + self.scale[(self.chords[bar % 4] + step) % 7]) % 12


def sing(rng, score, samples, sample_rate):
    """Sing a melody on changing vowels, with vibrato, glides, breaths, consonants and rests."""
    time = np.arange(samples // _STEP + 2) * _STEP / sample_rate
    onsets, ends, pitches, breaths = _melody(rng, score, samples / sample_rate)
    index = np.clip(np.searchsorted(onsets, time, "right") - 1, 0, None)
    since, left = time - onsets[index], ends[index] - time
    gate = np.clip(since / 0.04, 0, 1) * np.clip(left / 0.06, 0, 1)

    vibrato = rng.uniform(0.2, 0.6) * np.sin(2 * np.pi * rng.uniform(4.8, 6.5) * time)
    wander = _smooth(rng.normal(0, 0.4, len(time)), 0.05, sample_rate)
    glide = _smooth(pitches[index], rng.uniform(0.05, 0.12), sample_rate)
    f0 = _hertz(glide + wander + vibrato * np.clip((since - 0.15) / 0.25, 0, 1))

    throat = 1 + (np.median(f0) - 110) / 110 * 0.15  # higher voices have shorter throats
    vowels = _VOWELS[rng.integers(len(_VOWELS), size=len(onsets))][index] * throat
    formants = [_smooth(track, 0.08, sample_rate) for track in vowels.T]
    formants.append(np.full(len(time), 3500 * throat))
    count = int(np.clip(0.46 * sample_rate / f0.min(), 1, 64))
    partials = np.arange(1, count + 1)[:, None]
    loudness = sum(
        gain / (1 + ((partials * f0 - formant) / width) ** 2)
        for formant, width, gain in zip(
            formants, (70, 90, 120, 150), (1, 0.6, 0.35, 0.2), strict=True
        )
    )
    loudness = (loudness + 0.02) * partials ** -rng.uniform(0.4, 0.9) * gate
    voice = _harmonics(f0, loudness * (partials * f0 < 0.47 * sample_rate), samples, sample_rate)
    voice /= max(_rms(voice), 1e-6)

    spoken = onsets[rng.random(len(onsets)) < 0.7]
    hiss = _bumps(time, spoken, 0.05) * rng.uniform(0.3, 0.7)
    voice += _curve(hiss, samples) * _noise(rng, samples, sample_rate, 3000, 7500)
    air = _bumps(time, breaths - 0.2, 0.15) * 0.15 + gate * rng.uniform(0.01, 0.04)
    return voice + _curve(air, samples) * _noise(rng, samples, sample_rate, 800, 4000)


def _melody(rng, score, seconds):
    """Draw the notes: onsets and ends in seconds, MIDI pitches, and the starts of phrases."""
    center = rng.uniform(49, 66)
    notes = [
        n for n in range(int(center) - 8, int(center) + 9) if (n - score.key) % 12 in score.scale
    ]
    place, onset = len(notes) // 2, min(0.25 * seconds, rng.uniform(0, 1) * score.beat)
    onsets, ends, pitches, phrases, remaining = [], [], [], [], 0
    while onset < seconds or not onsets:
        if not remaining:
            remaining = rng.integers(3, 9)
            phrases.append(onset)
        length = rng.choice([0.5, 0.5, 1, 1, 1.5, 2]) * score.beat
        place = int(np.clip(place + rng.integers(-2, 3), 0, len(notes) - 1))
        onsets.append(onset)
        ends.append(onset + length - 0.02)
        pitches.append(notes[place])
        remaining -= 1
        onset += length + (0 if remaining else rng.choice([0.5, 1, 2]) * score.beat)
    return np.array(onsets), np.array(ends), np.array(pitches, float), np.array(phrases)


def drum(rng, score, samples, sample_rate):
    """Play kick, snare and hats in a pattern of sixteenths, repeated bar by bar."""
    steps = int(samples / sample_rate / score.beat * 4) + 1
    time = np.arange(int(0.4 * sample_rate)) / sample_rate
    sweep = rng.uniform(42, 60) * time + rng.uniform(2, 4) * (1 - np.exp(-time / 0.03))
    kick = np.sin(2 * np.pi * sweep) * np.exp(-time / rng.uniform(0.08, 0.16))
    body = np.sin(2 * np.pi * rng.uniform(160, 230) * time) * np.exp(-time / 0.06)
    rattle = _noise(rng, len(time), sample_rate, 1200, 6000)
    snare = 0.5 * body + 0.4 * rattle * np.exp(-time / rng.uniform(0.05, 0.12))
    metal = _noise(rng, len(time), sample_rate, 5000, 20000)
    hat = 0.2 * metal * np.exp(-time / rng.uniform(0.015, 0.05))

    patterns = np.zeros((3, 16))
    patterns[0, [0, 8]] = 1
    patterns[0] = np.maximum(patterns[0], rng.random(16) < 0.15)
    patterns[1, [4, 12]] = 1
    patterns[2, :: rng.choice([1, 2, 2])] = 1
    waveform = np.zeros(samples + len(time))
    for step in range(steps):
        first = round(step * score.beat / 4 * sample_rate)
        if first < samples:
            for sound, pattern in zip((kick, snare, hat), patterns, strict=True):
                if pattern[step % 16]:
                    waveform[first : first + len(time)] += rng.uniform(0.6, 1) * sound
    return waveform[:samples]


def bass(rng, score, samples, sample_rate):
    """Play roots and fifths of the chords in eighths, plucked, with few harmonics."""
    time = np.arange(samples // _STEP + 2) * _STEP / sample_rate
    eighth = score.beat / 2
    index = (time / eighth).astype(int)
    steps = rng.choice([0, 0, 0, 4], size=index[-1] + 1)
    lowest = rng.integers(28, 33)
    pitches = [
        lowest + (score.note(number // 8, step) - lowest) % 12 for number, step in enumerate(steps)
    ]
    played = rng.random(len(steps)) < 0.85
    played[0] = True
    since = time - index * eighth
    pluck = np.exp(-since / rng.uniform(0.15, 0.5))
    ends = np.clip(since / 0.005, 0, 1) * np.clip((eighth - since) / 0.01, 0, 1) * played[index]
    partials = np.arange(1, 13)[:, None]
    # High partials die away first, as on a string.
    loudness = partials ** -rng.uniform(0.8, 1.4) * pluck ** (1 + 0.2 * partials) * ends
    return _harmonics(_hertz(np.array(pitches)[index]), loudness, samples, sample_rate)


def chords(rng, score, samples, sample_rate):
    """Play the chords in the singer's register, held or as broken eighths, slightly detuned."""
    time = np.arange(samples // _STEP + 2) * _STEP / sample_rate
    broken = rng.random() < 0.5
    length = score.beat / 2 if broken else score.beat * rng.choice([1, 2, 4])
    index = (time / length).astype(int)
    since = time - index * length
    ends = np.clip(since / 0.01, 0, 1) * np.clip((length - since) / 0.02, 0, 1)
    decay = rng.uniform(0.2, 0.6) if broken else rng.uniform(1, 4)
    bars = (np.arange(index[-1] + 1) * length / (4 * score.beat) + 1e-6).astype(int)
    partials = np.arange(1, 15)[:, None]
    loudness = partials ** -rng.uniform(0.3, 0.9) * rng.uniform(0.3, 1, partials.shape)
    lowest = int(rng.integers(50, 60))
    waveform = np.zeros(samples, "float32")
    for voice, step in enumerate((0, 2, 4, 0)):
        pitches = np.array([lowest + (score.note(bar, step) - lowest) % 12 for bar in bars])
        f0 = _hertz(pitches[index] + 12 * (voice == 3) + rng.normal(0, 0.06))
        heard = (index % 4 == voice) * 1.5 + 0.2 if broken else 1
        envelope = loudness * ends * np.exp(-since / decay) * heard
        audible = partials * f0 < 0.47 * sample_rate
        waveform += _harmonics(f0, envelope * audible, samples, sample_rate)
    return waveform


def _hertz(pitch):
    return 440 * 2 ** ((pitch - 69) / 12)


def _rms(waveform):
    return np.sqrt(np.mean(np.square(waveform)))


def _curve(points, samples):
    """Return the linear interpolation of points `_STEP` samples apart."""
    return np.interp(np.arange(samples), np.arange(len(points)) * _STEP, points).astype("float32")


def _smooth(points, seconds, sample_rate):
    half = max(1, round(seconds * sample_rate / _STEP / 2))
    kernel = np.hanning(2 * half + 3)[1:-1]
    return np.convolve(np.pad(points, half, "edge"), kernel / kernel.sum(), "valid")


def _bumps(time, centers, width):
    nearest = np.abs(time[:, None] - centers).min(axis=1, initial=np.inf)
    return np.clip(1 - nearest / width, 0, 1)


def _harmonics(f0, loudness, samples, sample_rate):
    """Return the sum of harmonics of a fundamental; row k of `loudness` is the curve of one."""
    phase = 2 * np.pi / sample_rate * np.cumsum(_curve(f0, samples), dtype="float64")
    turn = np.exp(1j * phase).astype("complex64")
    partial, waveform = np.ones(samples, "complex64"), np.zeros(samples, "float32")
    for points in loudness:
        partial *= turn
        waveform += partial.imag * _curve(points, samples)
    return waveform


def _noise(rng, samples, sample_rate, low, high):
    """Return noise of unit level between two frequencies in Hz, with gentle slopes."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / sample_rate)
    spectrum /= (1 + (low / np.maximum(frequency, 1)) ** 4) * (1 + (frequency / high) ** 4)
    noise = np.fft.irfft(spectrum, samples)
    return (noise / max(_rms(noise), 1e-6)).astype("float32")
