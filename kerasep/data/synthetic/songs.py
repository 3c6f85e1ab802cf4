"""Synthetic songs, to start without downloads and licences.

Singer, drums, bass and chords share a key, a tempo and a register, and so overlap in time and in
frequency.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasep.data.audio.writer import write
from kerasep.data.synthetic import instruments
from kerasep.errors import InputError
from kerasep.files.atomic import replacing

STEMS = ("vocals", "drums", "bass", "other")
# In dB: low frequencies sound less loud than their energy.
_LOUDNESS = {"vocals": 0, "drums": -2, "bass": -3, "other": 3}
_PLAYERS = {
    "vocals": instruments.sing,
    "drums": instruments.drum,
    "bass": instruments.bass,
    "other": instruments.chords,
}


def song(
    seed: int | Sequence[int], seconds: float = 8.0, sample_rate: int = 16000, channels: int = 1
) -> dict[str, np.ndarray]:
    """Generate the stems of a song; the same seed generates the same samples.

    The vocals are 6 dB softer to 3 dB louder than the rest. Neither a stem nor the mixture exceeds
    0.9 of full scale.

    Args:
        seed: Seed for `numpy.random.default_rng`. It determines tempo, key, chords, melody, voice
            and timbres.
        seconds: Duration in seconds. Defaults to 8.
        sample_rate: In Hz, at least 4000. Defaults to 16000.
        channels: Number of channels. Defaults to 1. With more, the stems are spread in space.

    Returns:
        A dict of float32 waveforms `(samples, channels)`: vocals, drums, bass, other.

    Raises:
        InputError: The duration, sample rate or number of channels is too small.

    Example:
    ```python
    import kerasep

    stems = kerasep.data.song(7, seconds=2.0, channels=2)
    assert stems["vocals"].shape == (32000, 2)
    ```
    """
    samples = round(seconds * sample_rate)
    if samples < 1 or channels < 1 or sample_rate < 4000:
        raise InputError(
            f"received seconds={seconds}, sample_rate={sample_rate}, channels={channels}: expected "
            "more than 0 s, at least 4000 Hz and 1 channel"
        )
    rng = np.random.default_rng(seed)
    score = instruments.Score.draw(rng)
    stems = {
        name: _place(rng, player(rng, score, samples, sample_rate), channels, sample_rate)
        for name, player in _PLAYERS.items()
    }
    for name, waveform in stems.items():
        waveform *= 10 ** ((_LOUDNESS[name] + rng.uniform(-2, 2)) / 20) / _level(waveform)
    others = sum(stems[name] for name in STEMS[1:])
    stems["vocals"] *= 10 ** (rng.uniform(-6, 3) / 20) * _level(others) / _level(stems["vocals"])
    peak = max(np.abs(waveform).max() for waveform in [sum(stems.values()), *stems.values()])
    scale = np.float32(rng.uniform(0.5, 0.9) / max(peak, 1e-6))
    return {name: waveform * scale for name, waveform in stems.items()}


def write_songs(
    folder: str | os.PathLike,
    count: int,
    seed: int = 0,
    seconds: float = 8.0,
    sample_rate: int = 16000,
    channels: int = 1,
    sources: Sequence[str] = STEMS,
) -> list[str]:
    """Write songs as a folder of tracks, `FOLDER/song_0000/vocals.flac` and so on.

    Args:
        folder: A folder that is missing or empty. It appears once all songs are written.
        count: Number of songs.
        seed: Song `i` is `song([seed, i])`. Defaults to 0.
        seconds: Duration of each song in seconds. Defaults to 8.
        sample_rate: In Hz. Defaults to 16000.
        channels: Number of channels. Defaults to 1.
        sources: The stems to write, of vocals, drums, bass, other and accompaniment (all but the
            vocals). Defaults to the first four.

    Returns:
        The names of the tracks.

    Raises:
        InputError: The folder is not empty or cannot be written, or a source is unknown.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("karaoke", 2, seconds=1.0, sources=("vocals", "accompaniment"))
    assert len(kerasep.data.find_tracks("karaoke")) == 2
    ```
    """
    folder = Path(folder)
    unknown = set(sources) - {*STEMS, "accompaniment"}
    if unknown or not sources or count < 1:
        raise InputError(
            f"received {count} songs with sources {', '.join(sources)}: expected 1 or more, with "
            f"some of {', '.join(STEMS)}, accompaniment"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder: remove it, or name another")
    folder.parent.mkdir(parents=True, exist_ok=True)
    names = [f"song_{index:04d}" for index in range(count)]
    with replacing(folder) as partial:
        for index, name in enumerate(names):
            stems = song([seed, index], seconds, sample_rate, channels)
            stems["accompaniment"] = stems["drums"] + stems["bass"] + stems["other"]
            (partial / name).mkdir(parents=True)
            for source in sources:
                write(partial / name / f"{source}.flac", stems[source], sample_rate)
    return names


def _level(waveform):
    return max(float(np.sqrt(np.mean(np.square(waveform)))), 1e-4)


def _place(rng, waveform, channels, sample_rate):
    """Return a mono stem with its own level and reverberation in each channel."""
    tail = int(0.4 * sample_rate)
    size = len(waveform) + tail
    decay = np.exp(-np.arange(tail) / sample_rate / rng.uniform(0.04, 0.1))
    echoes = rng.standard_normal((channels, tail)) * decay / np.sqrt(np.square(decay).sum())
    reverberant = np.fft.rfft(waveform, size) * np.fft.rfft(echoes, size)
    wet = np.fft.irfft(reverberant, size)[:, : len(waveform)]
    loudness = rng.uniform(0.7, 1, (channels, 1))
    return (loudness * (waveform + rng.uniform(0.15, 0.35) * wet)).T.astype("float32")
