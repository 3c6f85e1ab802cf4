"""Find the problems of a data set in the measurements of its recordings."""

import itertools
import operator
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


def find_problems(recordings, sums, is_pool):
    """Yield each `Problem` of recordings, and of the `SumMeter`s of tracks in `sums`."""
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
    for name, meter in sums.items():
        lossless = all(stem.path.suffix.lower() in _LOSSLESS for stem in tracks[name])
        yield from _wrong_sum(name, meter, _SUM_DB[lossless])


def _of_recording(recording):
    where, peak = f"{recording.track}/{recording.stem}", recording.peak_db
    if recording.error:
        yield Problem("unreadable", where, recording.error)
    elif peak < SILENCE_DB:
        yield Problem("silent", where, f"nothing above {SILENCE_DB:.0f} dBFS")
    elif peak > BEYOND_DB:
        text = f"peaks at {10 ** (peak / 20):.6g}, expected samples within ±1: divide them"
        yield Problem("scale", where, text)
    elif recording.clipped:
        yield Problem("clipped", where, f"{recording.clipped} samples in runs at full scale")


def _duplicates(recordings):
    first = {}
    for recording in recordings:
        if recording.error or recording.stem == MIXTURE or recording.peak_db < SILENCE_DB:
            continue
        other = first.setdefault(recording.fingerprint, recording)
        if other is not recording:
            text = f"the same audio as {other.track}/{other.stem}"
            if other.split != recording.split:
                text += f" ({other.split} and {recording.split})"
            yield Problem("duplicate", f"{recording.track}/{recording.stem}", text)


def _of_track(name, stems):
    if not stems:
        return
    for kind, unit, values in (
        ("rates", "Hz", Counter(stem.sample_rate for stem in stems)),
        ("channels", "channels", Counter(stem.channels for stem in stems)),
    ):
        if len(values) > 1:
            text = ", ".join(f"{count} of {value} {unit}" for value, count in values.items())
            yield Problem(kind, name, f"files differ: {text}")
    by_length = operator.attrgetter("seconds")
    short, long = min(stems, key=by_length), max(stems, key=by_length)
    if long.seconds - short.seconds > _SAME_LENGTH:
        text = f"{short.stem} lasts {short.seconds:.2f} s, {long.stem} {long.seconds:.2f} s"
        yield Problem("lengths", name, text)


def _missing_stems(tracks):
    """Yield a problem per stem that a track lacks and most others have."""
    names = {
        name: {stem.stem.split("/")[0] for stem in stems} - {MIXTURE}
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
