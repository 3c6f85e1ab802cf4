"""Tracks: songs or scenes with one recording per stem."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerasep.data.audio.audio_info import as_float
from kerasep.data.datasets.layouts.recogniser import of_split, recognise_tracks
from kerasep.data.datasets.missing_stems import with_sources
from kerasep.data.datasets.stems import Stem, open_stems, read_stem
from kerasep.errors import InputError
from kerasep.system import logs

logger = logs.logger(__name__)


@dataclass(frozen=True)
class Track:
    """A song or scene. Its mixture is the sum of all its stems.

    Stems may differ in rate, channels and length: a shorter one is silent after its end.

    Attributes:
        name: Name of the track.
        stems: Dict from a stem's name to its recording.
        split: "train", "valid" or "test", or None if the data set has no splits.
        song: The song that the track is a clip of, or None.
        silent: Names of sources without a stem that count as silence.
    """

    name: str
    stems: dict[str, Stem]
    split: str | None = None
    song: str | None = None
    silent: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Duration of the longest stem in seconds."""
        return max(stem.info.seconds for stem in self.stems.values())

    def groups(self, sources: Sequence[str]) -> tuple[tuple[Stem, ...], ...]:
        """Group the stems by the source they belong to.

        A source is the stem of its name, or the sum of the stems in a folder of its name
        (`vocals/lead`, `vocals/choir`). Without either, "accompaniment" is the sum of all stems
        but the vocals.

        Args:
            sources: Names of the sources.

        Returns:
            A tuple of stems per source, and one of the remaining stems of the mixture.

        Raises:
            InputError: The track lacks a source, or two sources share a stem.
        """
        groups: list[tuple[Stem, ...]] = []
        used: set[str] = set()
        for source in sources:
            names = self._stems_of(source)
            if not names and source not in self.silent:
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

    def lacking(self, sources: Sequence[str]) -> list[str]:
        """Return the names of sources that have no stem and are not silent."""
        return [name for name in sources if name not in self.silent and not self._stems_of(name)]

    def _stems_of(self, source):
        """Return the names of the stems of a source."""
        if source in self.stems:
            return {source}
        names = {name for name in self.stems if name.startswith(f"{source}/")}
        if source == "accompaniment" and not names:
            vocals = self._stems_of("vocals")
            if vocals or "vocals" in self.silent:
                names = self.stems.keys() - vocals
        return names

    def read(
        self,
        sources: Sequence[str],
        sample_rate: int,
        channels: int,
        start: float = 0,
        seconds: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read a part of the track, converted to a sample rate and a number of channels.

        Args:
            sources: Names of the sources, in order.
            sample_rate: The rate to resample to, in Hz.
            channels: The number of channels. Mono is repeated, several are averaged to one.
            start: Where to start, in seconds. Defaults to 0.
            seconds: How much to read, with silence after the end. Defaults to all from `start` on.

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


def find_tracks(
    folder: str | os.PathLike,
    sources: Sequence[str] | None = None,
    split: str | None = None,
    missing: str = "refuse",
) -> list[Track]:
    """Find the tracks of a data set, and read the headers of their files.

    The layout is recognised by the names of folders and files, and logged: a folder per track with
    a file per stem, named after it (`song/vocals.flac`), MUSDB18, MUSDB18-HQ, MIR-1K, DSD100,
    Slakh, WSJ0-mix, LibriMix, WHAM, or a manifest. The guide on data folders describes them. A
    track with a file that cannot be read is left out, with a line in the log.

    Args:
        folder: The folder, or a manifest.
        sources: Names of the sources that every track must have. "accompaniment" is the sum of all
            stems but the vocals if no stem has that name. Defaults to None: any stems.
        split: "train", "valid" or "test", for data sets that have these. Defaults to all tracks.
        missing: What to do about a track that lacks a source: "silent" counts the source as
            silence, "skip" leaves the track out, "refuse" raises an error. The log counts what is
            missing. Defaults to "refuse".

    Returns:
        A list of `Track`, sorted by name.

    Raises:
        InputError: The folder is missing or its layout unknown, it lacks the split, no track can be
            used, a track lacks a source, all tracks lack one, or two sources share a stem.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=1.0)
    tracks = kerasep.data.find_tracks("songs", ("vocals", "accompaniment"))
    assert [track.duration for track in tracks] == [1.0, 1.0]
    ```
    """
    contents = recognise_tracks(folder)
    chosen = of_split(contents.tracks, split, folder)
    locations = [place for track in chosen for place in track.stems.values()]
    stems = dict(zip(locations, open_stems(folder, locations), strict=True))
    tracks, skipped = [], list(contents.skipped)
    for track in chosen:
        opened = {name: stems[place] for name, place in track.stems.items()}
        errors = [stem for stem in opened.values() if isinstance(stem, InputError)]
        if errors:
            skipped.append(f"track {track.name!r}: {errors[0]}")
        else:
            tracks.append(Track(track.name, opened, track.split, track.song))
    for line in skipped:
        logger.warning("skipped %s", line)
    if not tracks:
        raise InputError(f"{folder} has no track that can be used: {skipped[-1]}")
    splits = Counter(track.split for track in tracks if track.split)
    details = [f"{count} {name}" for name, count in splits.items()]
    details += [f"{len(skipped)} skipped"] if skipped else []
    logger.info(
        "%s: %s, %d tracks%s",
        folder,
        contents.layout,
        len(tracks),
        f" ({', '.join(details)})" if details else "",
    )
    tracks.sort(key=lambda track: track.name)
    return tracks if sources is None else with_sources(tracks, sources, missing)


def tracks_of(
    data: str | os.PathLike | Sequence[Track], sources: Sequence[str], missing: str = "refuse"
) -> list[Track]:
    """Return the tracks of a folder or a list that have all sources, see `find_tracks`."""
    if isinstance(data, str | os.PathLike):
        return find_tracks(data, sources, missing=missing)
    return with_sources(list(data), sources, missing)


def split(tracks: list[Track], valid: list[Track] | None = None) -> tuple[list[Track], list[Track]]:
    """Split tracks into those to train on and those to validate on.

    If the data set has train tracks of its own, only these are trained on. If it has valid tracks,
    too, they are validated on, else every tenth song.

    Args:
        tracks: List of `Track`.
        valid: List of `Track` to validate on. Defaults to None: taken from `tracks`.

    Returns:
        The tracks to train on, and the tracks to validate on.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 10, seconds=0.5)
    train, valid = kerasep.data.tracks.split(kerasep.data.find_tracks("songs"))
    assert (len(train), len(valid)) == (9, 1)
    ```
    """
    train = [track for track in tracks if track.split == "train"] or tracks
    if valid is not None:
        return train, valid
    valid = [track for track in tracks if track.split == "valid"]
    return (train, valid) if valid and train is not tracks else hold_out(train)


def hold_out(tracks: list[Track]) -> tuple[list[Track], list[Track]]:
    """Hold out every tenth song, with all its clips; none of a single song.

    Args:
        tracks: List of `Track`.

    Returns:
        The remaining tracks, and the held-out tracks.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 10, seconds=0.5)
    train, valid = kerasep.data.tracks.hold_out(kerasep.data.find_tracks("songs"))
    assert (len(train), len(valid)) == (9, 1)
    ```
    """
    songs = list(dict.fromkeys(track.song or track.name for track in tracks))
    held = set(songs[::10]) if len(songs) > 1 else ()
    parts: tuple[list[Track], list[Track]] = ([], [])
    for track in tracks:
        parts[(track.song or track.name) in held].append(track)
    return parts
