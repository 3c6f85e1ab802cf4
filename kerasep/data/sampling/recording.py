"""The blocks of a stem at a sample rate: decoded, resampled and put together always alike."""

import math

import numpy as np

from kerasep.data.audio.reading import decode
from kerasep.data.datasets.stems import with_channels

_VALUES = 1 << 17  # of a block: about a second and a half of 44.1 kHz stereo


class Recording:
    """A stem as rows of a shape at a rate, in blocks, some of which are in memory.

    Blocks begin where a sample of the file and one at the rate coincide. A resampled crop is cut
    out of them whether they are held or not, so that it is the same.
    """

    def __init__(self, stem, rate, shape, key, status):
        self.stem, self.rate, self.shape, self.key, self.status = stem, rate, shape, key, status
        own, samples, _ = stem.info
        step = own // math.gcd(own, rate)
        self.size = step * max(1, round(_VALUES / math.prod(shape) / step))  # in the file
        self.rows = self.size * rate // own  # at the rate
        whole, rest = divmod(samples, self.size)
        self.total = whole * self.rows + round(rest * rate / own)
        self.samples, self.bytes, self.filled = None, 0, bytearray(whole + (rest > 0))

    def numbers(self, first, count):
        """Return the numbers of the blocks that some rows are in."""
        return range(first // self.rows, (first + count - 1) // self.rows + 1)

    def missing(self, first, count):
        """Return the numbers of those that are not in memory."""
        return [number for number in self.numbers(first, count) if not self.filled[number]]

    def block(self, number, decoder):
        """Decode a block."""
        start = number * self.size
        count = min(self.size, decoder.info.samples - start)
        return decode(_InChannels(decoder, self.stem, self.shape[-1]), self.rate, start, count)

    def put(self, number, block):
        """Keep a block, and return the bytes that this takes."""
        if self.filled[number]:
            return 0
        if self.samples is None:
            # The system provides the memory of a block when it is written.
            self.samples = np.empty((self.total, *self.shape), block.dtype)
        place = self.samples[number * self.rows :][: self.rows]
        place[: len(block)] = block
        place[len(block) :] = 0  # what rounding left out at the end
        self.filled[number] = True
        self.bytes += place.nbytes
        return place.nbytes

    def decoded(self, first, count, decoder):
        """Decode the blocks that some rows are in, and return the rows."""
        numbers = self.numbers(first, count)
        out = np.zeros((len(numbers) * self.rows, *self.shape), "float32")
        for place, number in enumerate(numbers):
            block = self.block(number, decoder)
            out[place * self.rows :][: len(block)] = block
        return out[first - numbers[0] * self.rows :][:count]


class _InChannels:
    """A decoder whose blocks have the channels of a model: fewer to resample and to hold."""

    def __init__(self, decoder, stem, channels):
        self.decoder, self.stem, self.channels = decoder, stem, channels
        self.path, self.info = decoder.path, decoder.info

    def blocks(self, start, samples, size):
        """Yield blocks of at most `size` samples."""
        for block in self.decoder.blocks(start, samples, size):
            yield with_channels(block, self.stem, self.channels)
