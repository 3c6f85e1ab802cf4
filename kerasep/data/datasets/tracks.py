"""Tracks: songs or scenes on disk as one recording per stem."""

from collections import Counter
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
    """One recording: a name and its stems by name. The mixture is always the sum of all stems.

    Stems may differ in rate, channels and length: a shorter one is silent after its end. Where the
    data set says so, `split` is "train", "valid" or "test", and tracks of one `song` are clips of
    it. Sources in `silent` need no stem: they are silence.
    """

    name: str
    stems: dict[str, Stem]
    split: str | None = None
    song: str | None = None
    silent: tuple[str, ...] = ()

    @property
    def duration(self):
        """Duration of the longest stem in seconds."""
        return max(stem.info.seconds for stem in self.stems.values())

    def groups(self, sources):
        """Sort the stems by the source they belong to.

        A source is the stem of its name, or the sum of stems in a folder of it (`vocals/lead`,
        `vocals/choir`). One that is neither but is called "accompaniment" is the sum of all stems
        but the vocals.

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

    def lacking(self, sources):
        """Name the sources that have no stem and are not silent."""
        return [name for name in sources if name not in self.silent and not self._stems_of(name)]

    def _stems_of(self, source):
        """Name the stems that make a source: that one, or those in the folder of that name."""
        if source in self.stems:
            return {source}
        names = {name for name in self.stems if name.startswith(f"{source}/")}
        if source == "accompaniment" and not names:
            vocals = self._stems_of("vocals")
            if vocals or "vocals" in self.silent:
                names = self.stems.keys() - vocals
        return names

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


def find_tracks(folder, sources=None, split=None, missing="refuse"):
    """Find the tracks of a data set, whatever its layout, and read the headers of their files.

    The layout is recognised by looking, and logged: a folder for each track with a file for each
    stem, named after it (`song/vocals.flac`), MUSDB18, MUSDB18-HQ, MIR-1K, DSD100, Slakh, WSJ0-mix,
    LibriMix, WHAM, or a manifest; the guide on data folders has them all. Stems that are not wanted
    belong to the mixture all the same. A set's own mixture is ignored: the mixture is the sum of
    the stems. A track with a file that cannot be read is left out, with a line in the log.

    Args:
        folder: The folder, or a manifest.
        sources: Names of the sources that every track must have, where "accompaniment" stands for
            all stems but the vocals if there is no stem of that name. Defaults to no demand.
        split: "train", "valid" or "test", for data sets that have these. Defaults to all tracks.
        missing: What to do about a track that lacks one of the sources: "silent" counts the source
            as silence, "skip" leaves the track out, with a line in the log that counts them,
            "refuse" raises an error. Defaults to "refuse".

    Returns:
        A list of `Track`, sorted by name.

    Raises:
        InputError: The folder is missing or its layout unknown, it lacks the split, no track can be
            used, a track lacks a source, or none has it.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=1.0)
    tracks = kerasep.data.find_tracks("songs", ("vocals", "accompaniment"))
    assert [track.duration for track in tracks] == [1.0, 1.0]
    ```
    """
    found = recognise_tracks(folder)
    chosen = of_split(found.tracks, split, folder)
    locations = [place for track in chosen for place in track.stems.values()]
    stems = dict(zip(locations, open_stems(locations), strict=True))
    tracks, skipped = [], list(found.skipped)
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
        found.layout,
        len(tracks),
        f" ({', '.join(details)})" if details else "",
    )
    tracks.sort(key=lambda track: track.name)
    return tracks if sources is None else with_sources(tracks, sources, missing)


def split(tracks, valid=None):
    """Tell the tracks to train on from those to validate on.

    Splits that the data set has itself count: where it has train tracks, no others are trained on,
    and its valid tracks are validated on if `valid` is None. Else every tenth song is held out,
    with all its clips.

    Args:
        tracks: List of `Track`.
        valid: List of `Track` to validate on, or None to take them from `tracks`.

    Returns:
        Two lists of tracks.
    """
    train = [track for track in tracks if track.split == "train"] or tracks
    if valid is not None:
        return train, valid
    valid = [track for track in tracks if track.split == "valid"]
    return (train, valid) if valid and train is not tracks else hold_out(train)


def hold_out(tracks):
    """Set aside every tenth song, to validate on; clips of one song stay together.

    Args:
        tracks: List of `Track`, in the order in which songs are counted.

    Returns:
        Two lists of tracks: what is left, and what was set aside, which is nothing of a single
        song.
    """
    songs = list(dict.fromkeys(track.song or track.name for track in tracks))
    held = set(songs[::10]) if len(songs) > 1 else ()
    aside = [track for track in tracks if (track.song or track.name) in held]
    return [track for track in tracks if (track.song or track.name) not in held], aside
