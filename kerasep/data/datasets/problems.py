"""What can be wrong with a data set, told from what was measured of its recordings."""

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass

from kerasep.data.audio.meters import SILENCE_DB
from kerasep.data.datasets.scale import BEYOND_DB

MIXTURE = "mixture"
_LOSSLESS = (".wav", ".flac", ".aif", ".aiff", ".au", ".caf", ".w64")
_SUM_DB = {True: 20.0, False: 10.0}  # coding noise of AAC and MP3 is no fault
_SAME_LENGTH = 0.05  # seconds; codecs pad


@dataclass(frozen=True)
class Problem:
    """What is wrong, in one line: the kind of problem, where, and what it is."""

    kind: str
    where: str
    text: str

    def __str__(self):
        """Say it in one line."""
        return f"{self.where}: {self.text}"


def find_problems(recordings, summed, is_pool):
    """Find what is wrong with the recordings of a data set.

    Args:
        recordings: list of `kerasep.data.datasets.checking.Recording`.
        summed: dict from a track's name to the `SumMeter` of its mixture and stems.
        is_pool: whether recordings are to be mixed, and so need not go together.

    Returns:
        List of `Problem`.
    """
    problems = [*itertools.chain.from_iterable(map(_of_recording, recordings))]
    problems += _duplicates(recordings)
    if is_pool:
        return problems
    tracks = defaultdict(list)
    for one in recordings:
        tracks[one.track].append(one)
    for name, stems in tracks.items():
        problems += _of_track(name, [one for one in stems if not one.error])
    problems += _missing_stems(tracks)
    for name, meter in summed.items():
        lossless = all(one.path.suffix.lower() in _LOSSLESS for one in tracks[name])
        problems += _wrong_sum(name, meter, _SUM_DB[lossless])
    return problems


def _of_recording(one):
    where = f"{one.track}/{one.stem}"
    if one.error:
        yield Problem("unreadable", where, one.error)
    elif one.peak_db < SILENCE_DB:
        yield Problem("silent", where, f"nothing above {SILENCE_DB:.0f} dBFS")
    elif one.peak_db > BEYOND_DB:
        text = f"peaks at {10 ** (one.peak_db / 20):.6g}, expected samples within ±1: divide them"
        yield Problem("scale", where, text)
    elif one.clipped:
        yield Problem("clipped", where, f"{one.clipped} samples in runs at full scale")


def _duplicates(recordings):
    first = {}
    for one in recordings:
        if one.error or one.stem == MIXTURE or one.peak_db < SILENCE_DB:
            continue
        other = first.setdefault(one.fingerprint, one)
        if other is not one:
            splits = f" ({other.split} and {one.split})" if other.split != one.split else ""
            text = f"the same audio as {other.track}/{other.stem}{splits}"
            yield Problem("duplicate", f"{one.track}/{one.stem}", text)


def _of_track(name, stems):
    if not stems:
        return
    for kind, unit, values in (
        ("rates", "Hz", Counter(one.sample_rate for one in stems)),
        ("channels", "channels", Counter(one.channels for one in stems)),
    ):
        if len(values) > 1:
            text = ", ".join(f"{count} of {value} {unit}" for value, count in values.items())
            yield Problem(kind, name, f"files differ: {text}")
    shortest = min(stems, key=lambda one: one.seconds)
    longest = max(stems, key=lambda one: one.seconds)
    if longest.seconds - shortest.seconds > _SAME_LENGTH:
        text = (
            f"{shortest.stem} lasts {shortest.seconds:.2f} s, "
            f"{longest.stem} {longest.seconds:.2f} s"
        )
        yield Problem("lengths", name, text)


def _missing_stems(tracks):
    """Name the stems that a track lacks and most others have."""
    names = {
        name: {one.stem.split("/")[0] for one in stems} - {MIXTURE}
        for name, stems in tracks.items()
    }
    counts = Counter(itertools.chain.from_iterable(names.values()))
    for name, stems in names.items():
        for stem, count in counts.items():
            if stem not in stems and 2 * count > len(names):
                yield Problem("missing", name, f"no stem {stem}, which {count} tracks have")


def _wrong_sum(name, meter, enough):
    if meter.snr_db < enough:
        text = (
            "the stems do not add up to the mixture, which is "
            f"{meter.snr_db:.1f} dB above the difference"
        )
        if meter.scaled_snr_db >= enough:
            text += f"; it is {meter.scale:.2f} times their sum"
        yield Problem("sum", name, text)
