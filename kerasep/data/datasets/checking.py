"""Check a data set before training: its contents and its problems."""

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.meters import Meter, SumMeter
from kerasep.data.datasets.layouts.contents import TrackFiles
from kerasep.data.datasets.layouts.recogniser import recognise
from kerasep.data.datasets.problems import MIXTURE, Problem, find_problems
from kerasep.data.datasets.stems import open_stems
from kerasep.errors import InputError
from kerasep.files.text_files import write_table

_BLOCK = 1 << 16


@dataclass(frozen=True)
class Recording:
    """One stem, mixture or recording of a data set, and its measurements.

    Levels are in dB of full scale, `silence` is a share of the time, and `clipped` counts samples.
    A file that cannot be read has an `error` and no measurements.
    """

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
    """The contents and problems of a data set.

    `sums` has, for each track with a file of its mixture, the ratio in dB of the mixture to its
    difference from the sum of the stems.
    """

    folder: Path
    layout: str
    is_pool: bool
    recordings: list[Recording]
    problems: list[Problem]
    sums: dict[str, float] = field(default_factory=dict)

    @property
    def tracks(self) -> list[str]:
        """Names of the tracks, or of the groups of a data set without mixtures."""
        return list(dict.fromkeys(recording.track for recording in self.recordings))

    @property
    def usable(self) -> list[str]:
        """Names of the tracks whose stems can all be read, or of groups with a readable file."""
        good = {stem.track for stem in self.stems if not stem.error}
        bad = {stem.track for stem in self.stems if stem.error}
        return sorted(good if self.is_pool else good - bad)

    @property
    def stems(self) -> list[Recording]:
        """All recordings but the mixtures."""
        return [stem for stem in self.recordings if self.is_pool or stem.stem != MIXTURE]

    @property
    def seconds(self) -> float:
        """Duration of all usable tracks, or of all recordings of a data set without mixtures."""
        usable = set(self.usable)
        durations: dict[object, float] = defaultdict(float)
        for stem in self.stems:
            if stem.track in usable:
                key = (stem.track, stem.path) if self.is_pool else stem.track
                durations[key] = max(durations[key], stem.seconds or 0.0)
        return sum(durations.values())

    def summary(self) -> list[dict]:
        """Summarise the recordings of each stem, or of each group of a data set without mixtures.

        Returns:
            A list of dicts: name, recordings, seconds, level (median) and peak (highest) in dB of
            full scale, and silence, a share of the time.
        """
        measured = defaultdict(list)
        for stem in self.recordings:
            if not stem.error:
                name = stem.track if self.is_pool else stem.stem.split("/")[0]
                measured[name].append((stem.seconds, stem.rms_db, stem.peak_db, stem.silence))
        rows = []
        for name, group in sorted(measured.items()):
            seconds, levels, peaks, silences = np.array(group, float).T
            rows.append(
                {
                    "name": name,
                    "recordings": len(group),
                    "seconds": float(seconds.sum()),
                    "level": float(np.median(levels)),
                    "peak": float(peaks.max()),
                    "silence": float(np.average(silences, weights=seconds)),
                }
            )
        return rows

    def count(self, name: str) -> Counter:
        """Count the readable recordings by one of their fields, such as `sample_rate`."""
        return Counter(getattr(stem, name) for stem in self.recordings if not stem.error)


def check(folder: str | os.PathLike, progress: Callable[[float], None] | None = None) -> Check:
    """Check a data set by reading all of it once, in constant memory, several files at a time.

    Args:
        folder: The data set, of any known layout, or a manifest.
        progress: Function that is called with the share that is done, from 0 to 1. Defaults to
            None.

    Returns:
        A `Check`: the layout, all recordings with their measurements, and the problems. A problem
        is a recording that cannot be read, is clipped, silent or duplicated, or differs in rate,
        channels or length from the rest of its track, and stems that do not add up to the mixture.

    Raises:
        InputError: The folder is missing or its layout unknown.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=1.0)
    result = kerasep.data.check("songs")
    assert (result.layout, len(result.usable), result.seconds) == ("stems folders", 2, 2.0)
    assert not result.problems
    ```
    """
    contents = recognise(folder)
    units = list(_units(contents))
    measured = _measure_all(folder, units, progress or (lambda share: None))
    recordings = [recording for recordings, _ in measured for recording in recordings]
    sums = {unit.name: meter for unit, (_, meter) in zip(units, measured, strict=True) if meter}
    problems = [Problem("skipped", *line.split(": ", 1)) for line in contents.skipped]
    problems += find_problems(recordings, sums, is_pool=bool(contents.groups))
    return Check(
        Path(folder),
        contents.layout,
        bool(contents.groups),
        recordings,
        problems,
        {name: meter.snr_db for name, meter in sums.items()},
    )


def write_csv(result: Check, path: str | os.PathLike) -> None:
    """Write a table with one line per recording; unknown values are left empty.

    Args:
        result: The `Check`.
        path: The file, replaced if it exists.

    Raises:
        InputError: The file cannot be written.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=1.0)
    kerasep.data.checking.write_csv(kerasep.data.check("songs"), "check.csv")
    ```
    """
    rows = [
        {column.name: getattr(recording, column.name) for column in fields(Recording)}
        for recording in result.recordings
    ]
    for row in rows:
        row.update({k: f"{value:.4f}" for k, value in row.items() if isinstance(value, float)})
    write_table(path, rows)


def _units(contents):
    """Yield the units that are read together: tracks, or recordings without a mixture."""
    yield from contents.tracks
    for group in contents.groups:
        for place in group.recordings:
            yield TrackFiles(group.name, {place.path.name: place}, group.split)


def _measure_all(folder, units, progress):
    """Measure all units in parallel; return recordings and a `SumMeter` or None per unit."""
    places = [_places(unit) for unit in units]
    stems = iter(open_stems(folder, [place for named in places for place in named.values()]))
    opened = [{name: next(stems) for name in named} for named in places]
    sizes = [sum(_size(place.path) for place in unit.stems.values()) for unit in units]
    total, read = max(1, sum(sizes)), 0.0
    lock, stop = threading.Lock(), threading.Event()

    def measure(index):
        before = 0.0

        def report(share):
            nonlocal before, read
            with lock:
                read += (share - before) * sizes[index]
                before = share
                progress(min(1.0, read / total))

        return _measure(units[index], places[index], opened[index], report, stop)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(measure, index) for index in range(len(units))]
        try:
            for future in as_completed(futures):  # the first failure is raised at once
                future.result()
            return [future.result() for future in futures]
        finally:
            stop.set()  # ends the other threads after an error or Ctrl-C
            pool.shutdown(cancel_futures=True)


def _size(path):
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # ValueError for invalid file names
        return 0


def _places(unit):
    """Return where the stems of a unit are, and its mixture."""
    return unit.stems | ({MIXTURE: unit.mixture} if unit.mixture else {})


def _measure(unit, places, opened, report, stop):
    errors = {name: str(stem) for name, stem in opened.items() if isinstance(stem, InputError)}
    stems = {name: stem for name, stem in opened.items() if name not in errors}
    meters = {name: Meter(stem.info.sample_rate) for name, stem in stems.items()}
    sum_meter = SumMeter() if unit.mixture and not errors and _can_be_summed(stems) else None
    blocks = {name: _blocks(stem) for name, stem in stems.items()}
    longest, done = max((stem.info.samples for stem in stems.values()), default=0), 0
    while blocks and not stop.is_set():
        current = {}
        for name in list(blocks):
            try:
                current[name] = next(blocks[name])
                meters[name].add(current[name])
            except StopIteration:
                del blocks[name]
            except (InputError, OSError) as error:
                errors[name], sum_meter = str(error), None
                del blocks[name]
        if sum_meter and current:
            mixture = current.pop(MIXTURE, np.zeros((0, 1)))
            sum_meter.add(mixture, list(current.values()))
        done += _BLOCK
        report(min(1.0, done / longest))
    report(1.0)
    return [
        _recording(unit, name, place, stems.get(name), meters.get(name), errors.get(name))
        for name, place in places.items()
    ], sum_meter


def _can_be_summed(stems):
    channels = {stem.channels for stem in stems.values()} - {1}
    return len({stem.info.sample_rate for stem in stems.values()}) == 1 and len(channels) <= 1


def _blocks(stem):
    """Yield a stem in blocks of `_BLOCK` samples."""
    pending, count = [], 0
    for block in audio.stream(stem.path, block=_BLOCK, stream=stem.stream):
        if stem.channel is not None:
            block = block[:, stem.channel : stem.channel + 1]
        pending.append(block)
        count += len(block)
        while count >= _BLOCK:
            joined = np.concatenate(pending)
            yield joined[:_BLOCK]
            pending, count = [joined[_BLOCK:]], count - _BLOCK
    if count:
        yield np.concatenate(pending)


def _recording(unit, name, place, stem, meter, error):
    if error:
        return Recording(unit.name, name, unit.split, *place, error=error)
    return Recording(
        unit.name,
        name,
        unit.split,
        *place,
        sample_rate=stem.info.sample_rate,
        channels=stem.channels,
        seconds=stem.info.seconds,
        peak_db=meter.peak_db,
        rms_db=meter.rms_db,
        silence=meter.silence,
        clipped=meter.clipped,
        fingerprint=meter.fingerprint,
    )
