"""The problems of a data set, by the measurements of its recordings."""

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass

from kerasep.data.audio.meters import SILENCE_DB
from kerasep.data.datasets.scale import BEYOND_DB

MIXTURE = "mixture"
_LOSSLESS = (".wav", ".flac", ".aif", ".aiff", ".au", ".caf", ".w64")
_SUM_DB = {True: 20.0, False: 10.0}  # less for the coding noise of AAC and MP3
_SAME_LENGTH = 0.05  # seconds; codecs pad


@dataclass(frozen=True)
class Problem:
    """A problem of a data set: its kind, the track or recording, and a description."""

    kind: str
    where: str
    text: str

    def __str__(self):
        """Return a line for the log."""
        return f"{self.where}: {self.text}"


def find_problems(recordings, summed, is_pool):
    """Yield each `Problem` of recordings, and of the `SumMeter`s of tracks in `summed`."""
    for recording in recordings:
        yield from _of_recording(recording)
    yield from _duplicates(recordings)
    if is_pool:
        return
    tracks = defaultdict(list)
    for recording in recordings:
        tracks[recording.track].append(recording)
    for name, stems in tracks.items():
        yield from _of_track(name, [stem for stem in stems if not stem.error])
    yield from _missing_stems(tracks)
    for name, meter in summed.items():
        lossless = all(stem.path.suffix.lower() in _LOSSLESS for stem in tracks[name])
        yield from _wrong_sum(name, meter, _SUM_DB[lossless])


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
    """Yield a problem per stem that a track lacks and most others have."""
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
