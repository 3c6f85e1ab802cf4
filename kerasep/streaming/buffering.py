"""Cut blocks of any size into the steps of a streamed model, with NumPy alone."""

import contextlib
import dataclasses
import math
import threading
from collections.abc import Callable

import numpy as np

from kerasep.data.audio.samples import as_floats
from kerasep.errors import InputError

LEFT = 1  # index in a state of the number of frames still to come


@dataclasses.dataclass(frozen=True)
class Timing:
    """The times of a streamed model, all in samples.

    Attributes:
        hop: Distance between frames.
        frame: Length of a frame.
        grain: Samples of the smaller step.
        step: Samples of the larger step.
        lag: Delay of a step's output behind its input.
        silence: Zeros before everything else.
        ends: "mirror" to mirror the signal at both ends, half a frame each, "fill" to fill up the
            last frame with zeros, or "drop" to leave it out.
    """

    hop: int
    frame: int
    grain: int
    step: int
    lag: int
    silence: int
    ends: str

    @property
    def margin(self) -> int:
        """Samples that are mirrored at each end."""
        return self.frame // 2 if self.ends == "mirror" else 0

    @property
    def lead(self) -> int:
        """Samples that go into steps before the first one of the stream."""
        return self.silence + self.margin

    @property
    def skip(self) -> int:
        """Samples that come out of steps before the first one of the stream."""
        return self.lag + self.lead

    @property
    def latency(self) -> int:
        """After n samples of input, at least n - latency samples of output are ready."""
        return self.lag + self.grain

    def filled(self, samples: int) -> int:
        """Return a signal's length before mirroring: whole hops if frames would miss its end."""
        whole = self.ends == "mirror" and 2 * self.hop > self.frame
        return -(-samples // self.hop) * self.hop if whole else samples

    def frames(self, samples: int) -> int:
        """Return how many frames a signal has."""
        if self.ends == "mirror":
            return 1 + self.filled(samples) // self.hop
        hops = max(0, samples - self.frame) / self.hop
        return 1 + (math.ceil(hops) if self.ends == "fill" else math.floor(hops))


class Buffer:
    """One stream: takes blocks of any size, and runs the steps of a model.

    Any thread may use it, but not two at once, because the blocks of a stream have an order.

    Args:
        run: Function of a block `(1, samples, channels)`, as long as one of the two steps, and a
            state `(1, size)`. Returns sources `(1, samples, channels, sources)` and the state.
        start: State before the first step, float32 array `(1, size)`.
        timing: A `Timing`.
        channels: Channels of the mixture.
        count: Number of sources.

    Example:
    >>> timing = Timing(hop=4, frame=4, grain=4, step=16, lag=0, silence=0, ends="fill")
    >>> halves = Buffer(lambda x, s: (x[..., None] / 2, s), np.ones((1, 2)), timing, 1, 1)
    >>> len(halves.process(np.ones((9, 1)))), len(halves.flush())
    (8, 1)
    """

    def __init__(self, run: Callable, start: np.ndarray, timing: Timing, channels: int, count: int):
        self.run = run
        self.start = start
        self.timing = timing
        self.channels = channels
        self.count = count
        self._in_use = threading.Lock()
        self._start()

    def reset(self) -> None:
        """Start a new stream."""
        with self._alone():
            self._start()

    @contextlib.contextmanager
    def _alone(self):
        if not self._in_use.acquire(blocking=False):
            raise InputError(
                "received a block while another thread's is being processed, expected one thread "
                "at a time: open a stream for each"
            )
        try:
            yield
        finally:
            self._in_use.release()

    def _start(self):
        self._state = self.start
        self._received = 0  # samples of the stream
        self._stepped = 0  # samples that went into steps, with those before the stream
        self._pending = np.zeros((self.timing.silence, self.channels), "float32")
        self._recent = np.zeros((0, self.channels), "float32")
        self._begun = not self.timing.margin

    def process(self, block: np.ndarray) -> np.ndarray:
        """Process a block, and return the output that is ready.

        Args:
            block: Array `(samples, channels)`, any number of samples.

        Returns:
            Float32 array `(samples ready, channels, sources)`.

        Raises:
            InputError: The block has another shape or samples that are not finite floats, or
                another thread is using this stream.
        """
        block = as_floats(block)
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise InputError(
                f"received a block of shape {block.shape}, expected (samples, {self.channels})"
            )
        if not np.isfinite(block).all():
            raise InputError("received a block with NaN or infinite samples, expected audio")
        with self._alone():
            self._received += len(block)
            self._push(block)
            return self._steps()

    def flush(self) -> np.ndarray:
        """End the stream, return the rest of its output, and start a new stream.

        Returns:
            Float32 array `(samples left, channels, sources)`. Together with what `process`
            returned, there are as many samples as went in.

        Raises:
            InputError: The stream is too short to be mirrored, or another thread is using it.
        """
        with self._alone():
            try:
                return self._rest()
            finally:
                self._start()

    def _rest(self):
        timing, samples = self.timing, self._received
        margin, grain = timing.margin, timing.grain
        if not samples:
            return np.zeros((0, self.channels, self.count), "float32")
        if timing.filled(samples) <= margin:
            raise InputError(
                f"received a stream of {samples} samples, expected at least {margin + 1}"
            )
        self._push(self._zeros(timing.filled(samples) - samples))
        if margin:
            self._pend(self._recent[-2 : -margin - 2 : -1])
        done = (self._stepped - timing.silence) // timing.hop
        self._state = np.array(self._state, "float32")
        self._state[0, LEFT] = timing.frames(samples) - done
        needed = -(-(timing.skip + samples) // grain) * grain
        self._pend(self._zeros(max(0, needed - self._stepped - len(self._pending))))
        return self._steps()

    def _zeros(self, samples):
        return np.zeros((samples, self.channels), "float32")

    def _pend(self, samples):
        self._pending = np.concatenate([self._pending, samples])

    def _push(self, block):
        """Append samples of the stream, mirrored in front as soon as there are enough."""
        margin = self.timing.margin
        if margin:
            self._recent = np.concatenate([self._recent, block])
        if self._begun:
            self._pend(block)
        elif len(self._recent) > margin:
            self._pend(self._recent[margin:0:-1])
            self._pend(self._recent)
            self._begun = True
        if self._begun:
            self._recent = self._recent[-margin - 1 :]

    def _steps(self):
        """Run as many steps as there are samples for, and return their output."""
        timing, results, start = self.timing, [], 0
        while len(self._pending) - start >= timing.grain:
            large = len(self._pending) - start >= timing.step
            size = timing.step if large else timing.grain
            sources, self._state = self.run(self._pending[None, start : start + size], self._state)
            results.append(self._of_the_stream(np.asarray(sources)[0]))
            start += size
        self._pending = self._pending[start:]
        nothing = np.zeros((0, self.channels, self.count), "float32")
        return np.concatenate([nothing, *results])

    def _of_the_stream(self, sources):
        """Cut off output before the stream's first sample or after its last."""
        first = self._stepped - self.timing.skip
        self._stepped += len(sources)
        return sources[max(0, -first) : max(0, self._received - first)]
