"""Tracks: songs or scenes on disk as one recording per stem."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasep.data import audio
from kerasep.data.decoders import as_float
from kerasep.data.stems import Stem, read_stem
from kerasep.errors import InputError

_MUSDB = ".stem.mp4"
_MUSDB_STREAMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}
_LAYOUTS = "expected FOLDER/<track>/<stem>.wav (or .flac, .mp3, ...) or FOLDER/*.stem.mp4 (MUSDB18)"


@dataclass(frozen=True)
class Track:
    """One recording: a name and its stems by name. The mixture is always the sum of all stems.

    Stems may differ in rate, channels and length: a shorter one is silent after its end.
    """

    name: str
    stems: dict[str, Stem]

    @property
    def duration(self):
        """Duration of the longest stem in seconds."""
        return max(stem.info.seconds for stem in self.stems.values())

    def groups(self, sources):
        """Sort the stems by the source they belong to.

        A source that is no stem but is called "accompaniment" is the sum of all but the vocals.

        Args:
            sources: Names of the wanted sources.

        Returns:
            A tuple of tuples of stems: one for each source, then one of all stems left over,
            which belong to the mixture alone.

        Raises:
            InputError: The track lacks a source, or two sources share a stem.
        """
        groups, used = [], set()
        for source in sources:
            names = {source}
            if source == "accompaniment" and source not in self.stems and "vocals" in self.stems:
                names = self.stems.keys() - {"vocals"}
            if not names or not names <= self.stems.keys():
                raise InputError(
                    f"track {self.name!r} has no stem {source!r}, it has "
                    f"{', '.join(sorted(self.stems))}: add the file or choose other sources"
                )
            if names & used:
                raise InputError(
                    f"sources {', '.join(sources)} overlap in track {self.name!r}: "
                    f"{', '.join(sorted(names & used))} would be counted twice"
                )
            used |= names
            groups.append(tuple(self.stems[name] for name in sorted(names)))
        rest = tuple(stem for name, stem in self.stems.items() if name not in used)
        return (*groups, rest)

    def read(self, sources, sample_rate, channels, start=0, seconds=None):
        """Read a part of the track, resampled and with the wanted number of channels.

        Args:
            sources: Names of the sources, in order.
            sample_rate: The rate wanted, in Hz.
            channels: The channels wanted. Mono is repeated, several are averaged to one.
            start: Where to start, in seconds. Defaults to 0.
            seconds: How much to read; silence follows the end. Defaults to all from `start` on.

        Returns:
            The mixture `(samples, channels)`, the sum of *all* stems of the track, and the sources
            `(samples, channels, sources)`, float32, where `samples = round(seconds * sample_rate)`.

        Raises:
            InputError: A source is missing, the channels cannot be converted, or a file is bad.

        Example:
        ```python
        import kerasep

        kerasep.data.write_songs("songs", 1, seconds=2.0)
        track = kerasep.data.find_tracks("songs", ("vocals", "bass"))[0]
        mixture, stems = track.read(("vocals", "bass"), 8000, channels=1, start=0.5, seconds=1.0)
        assert mixture.shape == (8000, 1) and stems.shape == (8000, 1, 2)
        ```
        """
        seconds = self.duration - start if seconds is None else seconds
        if start < 0 or seconds <= 0:
            raise InputError(
                f"cannot read {seconds:g} s from {start:g} s on: track {self.name!r} lasts "
                f"{self.duration:g} s"
            )
        samples = round(seconds * sample_rate)
        mixture = np.zeros((samples, channels), "float32")
        separate = np.zeros((samples, channels, len(sources)), "float32")
        for index, stems in enumerate(self.groups(sources)):
            for stem in stems:
                waveform = as_float(read_stem(stem, sample_rate, channels, start, samples))
                mixture[: len(waveform)] += waveform
                if index < len(sources):
                    separate[: len(waveform), :, index] += waveform
        return mixture, separate


def find_tracks(folder, sources=None):
    """Find the tracks of a folder and read the headers of their files.

    Two layouts are known, and may be mixed:

    - a folder for each track that has one audio file for each stem, named after it
      (`song/vocals.flac`). Stems that are not wanted belong to the mixture all the same. A file
      `mixture.*` is ignored: the mixture is the sum of the stems;
    - MUSDB18: `*.stem.mp4`, whose streams are the mixture (ignored), drums, bass, other, vocals.

    Args:
        folder: The folder.
        sources: Names of the sources that every track must have, where "accompaniment" stands for
            all stems but the vocals if there is no stem of that name. Defaults to no demand.

    Returns:
        A list of `Track`, sorted by name.

    Raises:
        InputError: The folder is missing or has no track, a track lacks a source or has two files
            for a stem, or a file cannot be read.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=1.0)
    tracks = kerasep.data.find_tracks("songs", ("vocals", "accompaniment"))
    assert [track.duration for track in tracks] == [1.0, 1.0]
    ```
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: {_LAYOUTS}")
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.name.lower().endswith(_MUSDB):
            name, stems = path.name[: -len(_MUSDB)], _musdb_stems(path)
        else:
            name, stems = path.name, _folder_stems(path) if path.is_dir() else {}
        if name in found:
            raise InputError(f"{folder} has two tracks called {name!r}: remove one")
        if stems:
            found[name] = stems
    if not found:
        raise InputError(f"{folder} has no track: {_LAYOUTS}")
    files = [file for stems in found.values() for file in stems.values()]
    with ThreadPoolExecutor(8) as pool:
        infos = dict(zip(files, pool.map(lambda file: audio.info(*file), files), strict=True))
    tracks = [
        Track(name, {stem: Stem(*file, infos[file]) for stem, file in stems.items()})
        for name, stems in found.items()
    ]
    if sources is not None:
        for track in tracks:
            track.groups(sources)
    return sorted(tracks, key=lambda track: track.name)


def _musdb_stems(path):
    return {name: (path, stream) for name, stream in _MUSDB_STREAMS.items()}


def _folder_stems(folder):
    stems = {}
    for path in sorted(folder.iterdir()):
        name = path.stem.lower()
        hidden = path.name.startswith(".")
        if hidden or name == "mixture" or path.suffix.lower() not in audio.SUFFIXES:
            continue
        if name in stems:
            raise InputError(f"track {folder} has two files for stem {name!r}: remove one")
        stems[name] = (path, 0)
    return stems
