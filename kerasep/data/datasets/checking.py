"""A look at a whole data set before it is trained on: what is in it, and what is wrong with it."""

import os
import statistics
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.meters import Meter, SumMeter
from kerasep.data.datasets.layouts.found import TrackFiles
from kerasep.data.datasets.layouts.recogniser import recognise
from kerasep.data.datasets.problems import MIXTURE, Problem, find_problems
from kerasep.data.datasets.stems import open_stems
from kerasep.errors import InputError
from kerasep.files.text_files import write_table

_BLOCK = 1 << 16


@dataclass(frozen=True)
class Recording:
    """One stem, mixture or recording, and what was measured; a line of the table."""

    track: str
    stem: str
    split: str | None
    path: Path
    stream: int
    channel: int | None
    sample_rate: int | None = None
    channels: int | None = None
    seconds: float | None = None
    peak_db: float | None = None
    rms_db: float | None = None
    silence: float | None = None
    clipped: int | None = None
    fingerprint: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Check:
    """What a data set holds.

    `sums` says for tracks with a file of their mixture how far it lies above the difference from
    the sum of the stems, in dB.
    """

    folder: Path
    layout: str
    is_pool: bool
    recordings: list[Recording]
    problems: list[Problem]
    sums: dict[str, float] = field(default_factory=dict)

    @property
    def tracks(self):
        """Names of the tracks, or of the groups of a data set without mixtures."""
        return list(dict.fromkeys(one.track for one in self.recordings))

    @property
    def usable(self):
        """Names of the tracks whose stems can all be read, or of groups with a readable file."""
        good, bad = set(), set()
        for one in self.stems:
            (bad if one.error else good).add(one.track)
        return sorted(good if self.is_pool else good - bad)

    @property
    def stems(self):
        """The recordings that are no mixtures."""
        return [one for one in self.recordings if self.is_pool or one.stem != MIXTURE]

    @property
    def seconds(self):
        """Duration of all usable tracks, or of all recordings of a set without mixtures."""
        usable, durations = set(self.usable), defaultdict(float)
        for one in self.stems:
            if one.track in usable and not one.error:
                key = (one.track, one.path) if self.is_pool else one.track
                durations[key] = max(durations[key], one.seconds)
        return sum(durations.values())

    def summary(self):
        """Sum up the recordings of each stem, or of each group of a set without mixtures.

        Returns:
            A list of dicts: name, recordings, seconds, level (median) and peak (highest) in dB of
            full scale, and silence, a share of the time.
        """
        named = defaultdict(list)
        for one in self.recordings:
            if not one.error:
                named[one.track if self.is_pool else one.stem.split("/")[0]].append(one)
        return [
            {
                "name": name,
                "recordings": len(ones),
                "seconds": sum(one.seconds for one in ones),
                "level": statistics.median(one.rms_db for one in ones),
                "peak": max(one.peak_db for one in ones),
                "silence": sum(one.silence * one.seconds for one in ones)
                / sum(one.seconds for one in ones),
            }
            for name, ones in sorted(named.items())
        ]

    def count(self, name):
        """Count the readable recordings by one of their fields, such as `sample_rate`."""
        return Counter(getattr(one, name) for one in self.recordings if not one.error)


def check(folder, progress=None):
    """Look over a data set: read all of it once, at flat memory, several files at a time.

    Args:
        folder: The data set, of any layout that is known, or a manifest.
        progress: Function that is called with the share that is done, from 0 to 1.

    Returns:
        A `Check`: the layout, every recording with its rate, duration, levels, share of silence and
        clipped samples, and the problems: what cannot be read, is clipped or silent, is there
        twice, does not add up to its mixture, or differs in rate, channels or length from the rest
        of its track.

    Raises:
        InputError: The folder is missing or its layout unknown.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=1.0)
    found = kerasep.data.check("songs")
    assert (found.layout, len(found.usable), found.seconds) == ("stems folders", 2, 2.0)
    assert not found.problems
    ```
    """
    found = recognise(folder)
    units = list(_units(found))
    looks = _look_at_all(units, progress or (lambda share: None))
    recordings = [one for recordings, _ in looks for one in recordings]
    summed = {
        unit.name: meter for unit, (_, meter) in zip(units, looks, strict=True) if meter is not None
    }
    problems = [Problem("skipped", *line.split(": ", 1)) for line in found.skipped]
    problems += find_problems(recordings, summed, is_pool=bool(found.groups))
    return Check(
        Path(folder),
        found.layout,
        bool(found.groups),
        recordings,
        problems,
        {name: meter.snr_db for name, meter in summed.items()},
    )


def write_csv(found, path):
    """Write the table of all recordings; what could not be measured is left empty.

    Args:
        found: a `Check`.
        path: the file, replaced if it exists.
    """
    write_table(path, list(map(_written, found.recordings)))


def _written(recording):
    values = ((column.name, getattr(recording, column.name)) for column in fields(Recording))
    return {k: f"{value:.4f}" if isinstance(value, float) else value for k, value in values}


def _units(found):
    """Yield what is read together: a track, or a recording without a mixture."""
    yield from found.tracks
    for group in found.groups:
        for place in group.recordings:
            yield TrackFiles(group.name, {place.path.name: place}, group.split)


def _look_at_all(units, progress):
    """Read all units in parallel; of each, its recordings and its `SumMeter` or None."""
    sizes = [sum(_size(place.path) for place in unit.stems.values()) for unit in units]
    total, done = max(1, sum(sizes)), 0.0
    lock, stop = threading.Lock(), threading.Event()

    def look(unit, size):
        def advance(share):
            nonlocal done
            with lock:
                done += share * size
                progress(min(1.0, done / total))

        return _look(unit, advance, stop)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            return list(pool.map(look, units, sizes))
        finally:
            stop.set()  # for those at work when one fails, or Ctrl-C comes
            pool.shutdown(cancel_futures=True)


def _size(path):
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # the latter for a name that no file can have
        return 0


def _look(unit, advance, stop):
    places = dict(unit.stems)
    if unit.mixture:
        places[MIXTURE] = unit.mixture
    opened = dict(zip(places, open_stems(places.values()), strict=True))
    errors = {name: str(stem) for name, stem in opened.items() if isinstance(stem, InputError)}
    stems = {name: stem for name, stem in opened.items() if name not in errors}
    meters = {name: Meter(stem.info.sample_rate) for name, stem in stems.items()}
    summed = SumMeter() if unit.mixture and not errors and _can_be_summed(stems) else None
    blocks = {name: _blocks(stem) for name, stem in stems.items()}
    steps = max((-(-stem.info.samples // _BLOCK) for stem in stems.values()), default=0)
    told = 0
    while blocks and not stop.is_set():
        current = {}
        for name in list(blocks):
            try:
                current[name] = next(blocks[name])
                meters[name].add(current[name])
            except StopIteration:
                del blocks[name]
            except (InputError, OSError) as error:
                errors[name], summed = str(error), None
                del blocks[name]
        if summed and current:
            mixture = current.pop(MIXTURE, np.zeros((0, 1)))
            summed.add(mixture, list(current.values()))
        if told < steps:
            told += 1
            advance(1 / steps)
    if told < max(1, steps):
        advance(1 - told / max(1, steps))
    return [
        _recording(unit, name, place, stems.get(name), meters.get(name), errors.get(name))
        for name, place in places.items()
    ], summed


def _can_be_summed(stems):
    channels = {stem.channels for stem in stems.values()} - {1}
    return len({stem.info.sample_rate for stem in stems.values()}) == 1 and len(channels) <= 1


def _blocks(stem):
    """Yield a stem in blocks of one size, whatever the codec gives."""
    held, count = [], 0
    for block in audio.stream(stem.path, block=_BLOCK, stream=stem.stream):
        if stem.channel is not None:
            block = block[:, stem.channel : stem.channel + 1]
        held.append(block)
        count += len(block)
        while count >= _BLOCK:
            joined = np.concatenate(held)
            yield joined[:_BLOCK]
            held, count = [joined[_BLOCK:]], count - _BLOCK
    if count:
        yield np.concatenate(held)


def _recording(unit, name, place, stem, meter, error):
    known = (unit.name, name, unit.split, *place)
    if error:
        return Recording(*known, error=error)
    return Recording(
        *known,
        sample_rate=stem.info.sample_rate,
        channels=stem.channels,
        seconds=stem.info.seconds,
        peak_db=meter.peak_db,
        rms_db=meter.rms_db,
        silence=meter.silence,
        clipped=meter.clipped,
        fingerprint=meter.fingerprint,
    )
