"""Mean and deviation of the mixtures' magnitudes, computed part by part."""

import base64

import numpy as np

_SUMS = ("mean", "squares", "channel_squares")


class Statistics:
    """Sums over magnitudes `(batch, frames, bins, channels)`, for every bin, in float64.

    There are two deviations: of the mean of the channels, for Open-Unmix, and of all channels
    together, for `kerasep.layers.Whitening`. Parts are merged as in Chan, Golub and LeVeque 1983,
    "Algorithms for computing the sample variance".
    """

    def __init__(self, count=0, mean=0.0, squares=0.0, channel_squares=0.0):
        self.count = count  # frames
        self.mean = mean
        self.squares = squares  # of the channels' mean, about its mean
        self.channel_squares = channel_squares  # of the channels about their mean, on average

    def add(self, magnitude):
        """Add a batch."""
        magnitude = np.asarray(magnitude, "float64")
        frames = magnitude.mean(axis=-1).reshape(-1, magnitude.shape[2])
        mean = frames.mean(axis=0)
        squares = np.square(frames - mean).sum(axis=0)
        apart = magnitude.var(axis=-1).sum(axis=(0, 1))
        self._merge(Statistics(len(frames), mean, squares, apart))

    def _merge(self, other):
        if not other.count:
            return
        total = self.count + other.count
        delta = other.mean - self.mean
        self.squares = (
            self.squares + other.squares + np.square(delta) * self.count * other.count / total
        )
        self.channel_squares = self.channel_squares + other.channel_squares
        self.mean = self.mean + delta * other.count / total
        self.count = total

    @classmethod
    def merged(cls, parts):
        """Merge what `to_json` returned, or return None if nothing was counted."""
        total = cls()
        for part in parts:
            if part and part["frames"]:
                total._merge(cls.from_json(part))
        return total if total.count else None

    def to_json(self):
        """Return the sums as JSON."""
        packed = {
            name: base64.b64encode(np.asarray(getattr(self, name), "<f8").tobytes()).decode()
            for name in _SUMS
        }
        return {"frames": self.count, **packed}

    @classmethod
    def from_json(cls, stored):
        """Load what `to_json` returned."""
        arrays = [np.frombuffer(base64.b64decode(stored[name]), "<f8") for name in _SUMS]
        return cls(stored["frames"], *arrays)

    def stand_in(self, channels):
        """Build a small batch of magnitudes with these statistics, to adapt a model to."""
        deviation = np.sqrt(self.squares / self.count)
        frames = np.stack([self.mean + deviation, self.mean - deviation])
        pattern = np.zeros(channels)
        if channels > 1:
            pattern[::2], pattern[1::2] = 1.0, -1.0
            pattern -= pattern.mean()
            pattern /= pattern.std()
        apart = np.sqrt(self.channel_squares / self.count)
        return (frames[..., None] + apart[:, None] * pattern).astype("float32")[None]
