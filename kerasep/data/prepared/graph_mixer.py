"""From the bytes or numbers of groups of stems to mixtures and sources, by small matrices.

Every channel of a source, or of the mixture, is a weighted sum of the groups' channels: a matrix
for each example holds gains, swapped channels, the scale of the numbers, and where results come
to lie. (To reverse, select and stack tensors with such short axes takes several times as long.)
"""

import numpy as np
import tensorflow as tf

_WIDE = {2: tf.int32, 4: tf.int64}  # types that hold so many numbers of two bytes


class Mixer:
    """Mixes batches of crops.

    Args:
        settings: The settings of the index.
        rows: How many rows a crop has.
        slots: For each group the number of its source; `sources` for none.
        sources: How many the model has.
    """

    def __init__(self, settings, rows, slots, sources):
        self.spectra = settings["format"] == "spectrogram"
        self.stored = tf.int16 if settings["format"] == "int16" else tf.float16
        self.shape = (rows, *settings["row_shape"])
        self.channels, self.sources = settings["channels"], sources
        parts = 2 if self.spectra else 1
        self.unit = self.channels * parts  # numbers that stay together
        belongs = np.eye(1 + sources + 1)[[1 + slot for slot in slots], :-1]
        belongs[:, 0] = 1.0  # to the mixture, all
        straight = np.einsum("gs,cd,pq->gcpdsq", belongs, np.eye(self.channels), np.eye(parts))
        self.straight = straight.astype("float32")

    def matrices(self, gains, swaps):
        """Make the matrices of many examples.

        Args:
            gains: Float tensor `(examples, groups)`: the factor of each group.
            swaps: Bool tensor of the same shape: whether its channels change places.

        Returns:
            Float32 tensor `(examples, groups * unit, channels, 1 + sources, parts)`.
        """
        each = (slice(None), slice(None), *[None] * (self.straight.ndim - 1))
        matrices = tf.where(swaps[each], self.straight[:, ::-1], self.straight) * gains[each]
        return tf.reshape(matrices, (-1, len(self.straight) * self.unit, *self.straight.shape[3:]))

    def mix(self, content, matrices):
        """Mix a batch.

        Args:
            content: String tensor `(batch, groups)`, what a group lacks at its end being silent; or
                the numbers, a float32 tensor `(batch, groups, rows, channels)`.
            matrices: Those of its examples.

        Returns:
            Float32 tensors: mixture `(batch, samples, channels)` and sources `(batch, samples,
            channels, sources)`, or spectra `(batch, frames, bins, channels, 1 + sources, 2)`.
        """
        numbers = self._side_by_side(content)

        def times(chosen):
            width = np.prod(chosen.shape[2:])
            return tf.matmul(numbers, tf.reshape(chosen, (-1, chosen.shape[1], width)))

        shape = (content.shape[0] or -1, *self.shape)
        if self.spectra:
            return tf.reshape(times(matrices), (*shape[:-1], 1 + self.sources, 2))
        mixture, sources = times(matrices[:, :, :, :1]), times(matrices[:, :, :, 1:])
        return tf.reshape(mixture, shape), tf.reshape(sources, (*shape, self.sources))

    def _side_by_side(self, content):
        """Turn bytes into numbers, those of all groups beside each other: `(batch, n, columns)`."""
        if content.dtype == tf.float32:
            content = tf.transpose(content, (0, 2, 1, 3))
            return tf.reshape(content, (-1, content.shape[1], content.shape[2] * content.shape[3]))
        groups, count = content.shape[1], np.prod(self.shape) // self.unit
        numbers = tf.io.decode_raw(content, tf.int16, fixed_length=2 * count * self.unit)
        numbers = tf.reshape(numbers, (-1, groups, count, self.unit))
        wide = _WIDE.get(self.unit)
        if wide:  # a few wide numbers are moved faster than many narrow ones
            numbers = tf.transpose(tf.bitcast(numbers, wide), (0, 2, 1))
            numbers = tf.reshape(tf.bitcast(numbers, tf.int16), (-1, count, groups * self.unit))
            return tf.cast(tf.bitcast(numbers, self.stored), tf.float32)
        numbers = tf.cast(tf.bitcast(numbers, self.stored), tf.float32)
        return tf.reshape(tf.transpose(numbers, (0, 2, 1, 3)), (-1, count, groups * self.unit))
