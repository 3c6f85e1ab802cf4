"""Synthetic songs: data to start with that needs no download and no licence.

Singer, drums, bass and chords share a key, a tempo and a register, so that they overlap in time and
in frequency and separating them is a real task, if an easier one than recorded music.
"""

import os
import shutil
from pathlib import Path

import numpy as np

from kerasep.data.audio.writer import write
from kerasep.data.synthetic import instruments
from kerasep.errors import InputError

STEMS = ("vocals", "drums", "bass", "other")
# In dB; the bass and the kick drum hold most of the energy of a mix at less loudness.
_LOUDNESS = {"vocals": 0, "drums": -2, "bass": -3, "other": 3}
_PLAYERS = {
    "vocals": instruments.sing,
    "drums": instruments.drum,
    "bass": instruments.bass,
    "other": instruments.chords,
}


def song(seed, seconds=8.0, sample_rate=16000, channels=1):
    """Make a song: the same seed gives the same samples.

    The vocals are 6 dB softer to 3 dB louder than the rest; neither a stem nor the mixture exceeds
    0.9 of full scale.

    Args:
        seed: Anything that `numpy.random.default_rng` takes. Tempo, key, chords, melody, voice and
            timbres depend on it.
        seconds: Duration. Defaults to 8.
        sample_rate: In Hz. Defaults to 16000.
        channels: Defaults to 1; with more, stems have places and a little width.

    Returns:
        A dict of float32 waveforms `(samples, channels)`: vocals, drums, bass, other.

    Raises:
        InputError: The duration, rate or channels are too small.

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


def write_songs(folder, count, seed=0, seconds=8.0, sample_rate=16000, channels=1, sources=STEMS):
    """Write songs as a folder of tracks, `FOLDER/song_0000/vocals.flac` and so on.

    Args:
        folder: A folder that is missing or empty; it appears once all songs are written.
        count: How many songs.
        seed: Song `i` is `song([seed, i])`. Defaults to 0.
        seconds: Duration of each song. Defaults to 8.
        sample_rate: In Hz. Defaults to 16000.
        channels: Defaults to 1.
        sources: Which stems to write, of vocals, drums, bass, other and accompaniment (all but the
            vocals). Defaults to the first four.

    Returns:
        The names of the tracks.

    Raises:
        InputError: The folder has files in it, or a source is unknown.

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
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    names = [f"song_{index:04d}" for index in range(count)]
    try:
        for index, name in enumerate(names):
            stems = song([seed, index], seconds, sample_rate, channels)
            stems["accompaniment"] = sum(stems[stem] for stem in STEMS[1:])
            (partial / name).mkdir(parents=True)
            for source in sources:
                write(partial / name / f"{source}.flac", stems[source], sample_rate)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return names


def _level(waveform):
    return max(float(np.sqrt(np.mean(np.square(waveform)))), 1e-4)


def _place(rng, waveform, channels, sample_rate):
    """Put a mono stem in a room: a level and a reverberation of its own in every channel."""
    tail = int(0.4 * sample_rate)
    size = len(waveform) + tail
    decay = np.exp(-np.arange(tail) / sample_rate / rng.uniform(0.04, 0.1))
    echoes = rng.standard_normal((channels, tail)) * decay / np.sqrt(np.square(decay).sum())
    room = np.fft.rfft(waveform, size) * np.fft.rfft(echoes, size)
    wet = np.fft.irfft(room, size)[:, : len(waveform)]
    loudness = rng.uniform(0.7, 1, (channels, 1))
    return (loudness * (waveform + rng.uniform(0.15, 0.35) * wet)).T.astype("float32")
