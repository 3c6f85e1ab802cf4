"""The positions of a compressed stream's samples, counted instead of trusted from headers.

In some formats the time stamps of packets place each sample: only these are read, and the end is
decoded. All other streams are decoded once as a whole.
"""

import functools
import operator
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np

from kerasep.data.audio.audio_info import not_audio
from kerasep.data.audio.av_stream import SampleFormat, blocks, format_of, frames, open_stream
from kerasep.data.audio.completeness import warn_if_incomplete
from kerasep.data.audio.ogg import vorbis_length

# Formats whose time stamps are exact to the sample.
_EXACT = ("mov", "ogg", "mp3", "aac", "flac", "caf", "tta", "wv", "ape")
# Streams of bare packets, whose time stamps FFmpeg computes.
_BARE = ("mp3", "aac", "ac3", "eac3", "dts", "dtshd", "truehd", "mlp", "sbc", "aptx", "loas", "amr")
# Formats whose packets have other time stamps after a seek.
_CANNOT_SEEK = (
    *("wav", "w64", "aiff", "au", "caf", "voc", "ircam", "nistsphere", "aptx", "g722"),
    *("mpeg", "mpegts"),
)
# Codecs whose last frame FFmpeg cuts as the index of an MP4 file says.
_FIXED_FRAMES = ("aac", "mp1", "mp2", "mp3", "ac3", "eac3")

_HOLE = Fraction(1, 100)  # seconds: smaller jumps of the time stamps are rounding
_HOLE_IN_MPEG = Fraction(1, 10)
_LONGEST_HOLE = 3600
_LONGEST_JUMP = 10  # in formats whose time stamps may restart, as in FFmpeg
_TAIL = 1.0  # seconds decoded to find the end


class Timeline(NamedTuple):
    """The positions of a stream's samples."""

    form: SampleFormat
    samples: int  # per channel
    origin: int = 0  # time stamp of the first sample
    scale: Fraction | None = None  # samples per tick of exact time stamps
    # Without exact time stamps, of each block: time stamp (if blocks can be sought), first sample,
    # and length.
    stamps: np.ndarray | None = None
    positions: np.ndarray | None = None
    lengths: np.ndarray | None = None

    def stamp_before(self, position):
        """Return the time stamp to seek to for a sample, or None to start at the beginning."""
        if position <= 0:
            return None
        if self.scale is not None:
            return self.origin + int(position / self.scale)
        if self.stamps is None:
            return None
        block = np.searchsorted(self.positions, position, "right") - 1
        return int(self.stamps[block]) if block > 0 else None

    def placed(self, decoded, sought):
        """Yield (position, block) of (time stamp, block) pairs from the start, or after a seek."""
        position, number = None, None if sought else 0
        for stamp, block in decoded:
            if block is None:
                continue
            if self.scale is not None:
                if stamp is not None:
                    position = round((stamp - self.origin) * self.scale)
            else:
                if number is None and stamp is not None:
                    number = self._counted_block(stamp, len(block))
                if number is not None:
                    position = self.positions[number] if number < len(self.positions) else None
                    number += 1
            if position is not None:
                yield int(position), block
                position += len(block)

    def _counted_block(self, stamp, length):
        """Return the number of the block with a time stamp, or None."""
        near = int(np.abs(self.stamps - stamp).argmin())
        # The first block after a seek may be shorter than it was when counted.
        is_same = abs(int(self.stamps[near]) - stamp) <= 1 and self.lengths[near] == length
        return near if is_same else None


@functools.lru_cache(1024)
def timeline_of(path, index, _):
    """Return the `Timeline` of a stream; the last argument is the version of the file."""
    file, stream = open_stream(path, index)
    with file:
        first = next((frame for frame in frames(file, stream) if frame is not None), None)
        if first is None:
            raise not_audio(path)
        surveyed = _exact(path, index, file, stream, first)
        if surveyed is None:
            surveyed = _counted(path, index, format_of(first))
        timeline, holes, lost = surveyed
        length = vorbis_length(path) if file.format.name == "ogg" else None
        if length is not None and length > 0:
            timeline = timeline._replace(samples=min(timeline.samples, length))
        seconds = timeline.samples / timeline.form.sample_rate
        holes = [Fraction(gap, timeline.form.sample_rate) for gap in holes]
        warn_if_incomplete(path, file, stream, seconds, holes, lost)
    return timeline


def _exact(path, index, file, stream, first):
    """Return (timeline, holes, 0) of a stream with exact time stamps, or None for others."""
    if first.pts is None or not file.format.name.startswith(_EXACT):
        return None
    scale = stream.time_base * first.rate
    stamps, durations = _packets(path, index, file, stream)
    if scale > 1 or stamps is None or len(stamps) < 2:
        return None
    if file.format.name == "mp3" and not _counts_its_frames(stream, stamps, durations):
        return None
    excess = np.diff(stamps) - durations
    excess = excess[excess != 0]
    if (
        (durations <= 0).any()
        or (durations * scale.numerator % scale.denominator).any()
        or (excess * scale < _HOLE * first.rate).any()
        or (excess * scale > _longest_jump(file) * first.rate).any()
    ):
        return None
    timeline = Timeline(format_of(first), 0, first.pts, scale)
    last = int(stamps[-1])
    end = _end(file, stream, timeline, last)
    indexed = round((last + int(durations[-1]) - first.pts) * scale)
    if stream.frames and indexed - end > _HOLE * first.rate + int(durations[-1]) * scale:
        end = indexed  # the end of an MP4 file is missing: reading reports it
    codec = stream.codec_context.codec.canonical_name
    if file.format.name.startswith("mov") and stream.frames and codec in _FIXED_FRAMES:
        end = min(end, round((stream.start_time + stream.duration - first.pts) * scale))
    return timeline._replace(samples=end), [round(int(gap) * scale) for gap in excess], 0


def _packets(path, index, file, stream):
    """Return the time stamps of all packets and the durations of all but the last, or Nones."""
    base = stream.time_base
    entries = stream.index_entries if file.format.name.startswith("mov") else ()
    if len(entries) > 1 and len(entries) == stream.frames:
        # The index of an MP4 file is complete, and its codecs have packets of equal length.
        stamps = np.array([entry.timestamp for entry in entries], "int64")
        return stamps, np.full(len(stamps) - 1, int(np.median(np.diff(stamps))))
    stamps, durations, heads = [], [], set()
    bare = file.format.name in _BARE
    again, stream = open_stream(path, index)
    with again:
        try:
            for packet in again.demux(stream):
                if not packet.size:
                    continue
                if packet.pts is None or not packet.duration:
                    return None, None
                stamps.append(packet.pts)
                durations.append(packet.duration)
                if bare:
                    heads.add(bytes(memoryview(packet)[:2]))
                    if len(heads) > 1:  # something else lies between the packets
                        return None, None
        except av.FFmpegError:
            return None, None
    stamps, durations = np.array(stamps, "int64"), np.array(durations[:-1], "int64")
    if file.format.name.startswith("mov") and len(durations):
        # In a fragmented file a packet before a hole lasts until the next one.
        usual = int(np.median(durations))
        durations[(durations - usual) * base >= _HOLE] = usual
    return stamps, durations


def _counts_its_frames(stream, stamps, durations):
    """Return whether the header of an MP3 file counts its frames: FFmpeg cuts the end by it."""
    padding = None if stream.duration is None else stamps[-1] + durations[-1] - stream.duration
    return padding is not None and 0 <= padding - stamps[0] <= 4 * durations[-1]


def _end(file, stream, timeline, last):
    """Return the number of samples, by decoding the last second."""
    stamp = last - int(_TAIL * timeline.form.sample_rate / timeline.scale)
    try:
        file.seek(max(stamp, timeline.origin), stream=stream)
    except av.FFmpegError:
        return 0
    placed = timeline.placed(blocks(file, stream, timeline.form), sought=True)
    return max((position + len(block) for position, block in placed), default=0)


def _counted(path, index, form):
    """Return (timeline, holes, damaged packets) of a stream by decoding all of it."""
    file, stream = open_stream(path, index)
    stamps, positions, lengths, holes, total, lost = [], [], [], [], 0, 0
    with file:
        gap = _hole_finder(file, stream, form.sample_rate)
        for stamp, block in blocks(file, stream, form):
            if block is None:
                lost += 1
                continue
            hole = gap(stamp, total, len(block))
            if hole:
                holes.append(hole)
                total += hole
            stamps.append(stamp)
            positions.append(total)
            lengths.append(len(block))
            total += len(block)
    ascending = None not in stamps and all(map(operator.lt, stamps, stamps[1:]))
    seekable = ascending and file.format.name not in _CANNOT_SEEK
    timeline = Timeline(
        form,
        total,
        stamps=np.array(stamps, "int64") if seekable else None,
        positions=np.array(positions, "int64"),
        lengths=np.array(lengths, "int64"),
    )
    return timeline, holes, lost


def _hole_finder(file, stream, rate):
    """Return a function that computes the samples missing before each block."""
    base = stream.time_base
    shortest = _HOLE_IN_MPEG if file.format.name.startswith("mpeg") else _HOLE
    shortest = max(shortest, 2 * base)
    longest = 0 if file.format.name in _BARE else _longest_jump(file)
    anchor = expected = None  # a time and its sample, and the next block's time

    def gap(stamp, position, length):
        nonlocal anchor, expected
        if stamp is None:
            return 0
        time = stamp * base
        if anchor is None:
            anchor, expected = (time, position), time
        ahead = time - anchor[0] - Fraction(position - anchor[1], rate)
        # A drifting clock, ahead by a little more with each block, leaves no hole.
        is_hole = shortest <= min(ahead, time - expected) and ahead <= longest
        if not is_hole and abs(ahead) > _LONGEST_JUMP:  # the time stamps restart
            anchor = time, position
        expected = time + Fraction(length, rate)
        return round(ahead * rate) if is_hole else 0

    return gap


def _longest_jump(file):
    discontinuous = file.format.flags & av.format.Flags.ts_discont.value
    return _LONGEST_JUMP if discontinuous else _LONGEST_HOLE
