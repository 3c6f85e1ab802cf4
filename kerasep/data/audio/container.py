"""Random access to one audio stream of a file that FFmpeg decodes."""

import os

import av
import numpy as np

from kerasep.data.audio.audio_info import AudioInfo, as_float, not_finite, stops_early, version
from kerasep.data.audio.av_stream import blocks, open_stream
from kerasep.data.audio.timeline import timeline_of

_PREROLL = 1.0  # seconds decoded before a slice, until the codec has settled
_SILENCE = 1 << 16  # samples per block of a hole


class Container:
    """A decoder of audio stream number `index` of a file, through PyAV."""

    def __init__(self, path, index):
        self.path, self.index, self.file = path, index, None
        self.timeline = timeline_of(os.fspath(path), index, version(path))
        form = self.timeline.form
        self.info = AudioInfo(form.sample_rate, self.timeline.samples, form.channels)

    def blocks(self, start, samples, size):
        """Yield `samples` in blocks of a codec frame; holes in the time stamps are silence."""
        done, stop = start, min(start + samples, self.info.samples)
        for position, block in self._blocks(start):
            while done < min(position, stop):
                silence = min(position, stop, done + min(size, _SILENCE)) - done
                yield np.zeros((silence, self.info.channels), self.timeline.form.dtype)
                done += silence
            block = block[max(0, done - position) : max(0, stop - position)]
            if len(block):
                if not np.isfinite(block).all():
                    raise not_finite(self.path)
                done += len(block)
                yield block
            if done >= stop:
                return

    def read_into(self, start, out):
        """Fill a float32 array `(samples, channels)` from sample `start` on."""
        done = 0
        for block in self.blocks(start, len(out), len(out)):
            out[done : done + len(block)] = as_float(block)
            done += len(block)
        if done < len(out):
            raise stops_early(self.path, self.info.samples, start + done)

    def close(self):
        """Close the file."""
        if self.file is not None:
            self.file.close()

    def _blocks(self, start):
        """Yield (position, block), the first at or before `start`."""
        stamp = self.timeline.stamp_before(start - round(_PREROLL * self.info.sample_rate))
        if stamp is not None:
            placed = self._placed(stamp)
            first = next(placed, None)
            if first is not None and first[0] <= start:
                yield first
                yield from placed
                return
        # From the start, also if seeking failed, as it does in some formats.
        yield from self._placed(None)

    def _placed(self, stamp):
        """Yield (position, block) from a time stamp on, or from the start."""
        if self.file is None or stamp is None:
            self.close()
            self.file, self.stream = open_stream(self.path, self.index)
        if stamp is not None:
            try:
                self.file.seek(stamp, stream=self.stream)
            except av.FFmpegError:
                return
        decoded = blocks(self.file, self.stream, self.timeline.form)
        yield from self.timeline.placed(decoded, sought=stamp is not None)
