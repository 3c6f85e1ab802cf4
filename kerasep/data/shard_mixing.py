"""From the bytes of stored groups to mixtures and sources, by a small matrix for each example.

Every channel of a source, or of the mixture, is a weighted sum of the stored groups' channels: one
matrix holds gains, swapped channels, the scale of the stored numbers, and where each result comes
to lie. (To reverse, select and stack tensors with such short axes takes several times as long.)
"""

import numpy as np
import tensorflow as tf

_UNITS = {1: tf.int16, 2: tf.int32, 4: tf.int64}  # by how many numbers of two bytes they hold


def mixing_matrices(gains, swaps, slots, sources, channels, parts):
    """Make the matrices of many examples.

    Args:
        gains: Float tensor `(examples, groups)`: the factor of each group.
        swaps: Bool tensor of the same shape: whether its channels change places.
        slots: For each group the number of its source; `sources` for none.
        sources: How many there are.
        channels: How many there are.
        parts: Numbers of a channel that stay apart: 2 of a complex one, else 1.

    Returns:
        Float32 tensor `(examples, groups * channels * parts, channels, 1 + sources, parts)`; of the
        results the mixture comes first.
    """
    belongs = np.eye(1 + sources + 1)[:, :-1][[1 + slot for slot in slots]]
    belongs[:, 0] = 1.0
    straight = np.einsum("gs,cd,pq->gcpdsq", belongs, np.eye(channels), np.eye(parts))
    straight = straight.astype("float32")
    each = (slice(None), slice(None), *[None] * 5)
    matrices = tf.where(swaps[each], straight[:, ::-1], straight) * gains[each]
    return tf.reshape(matrices, (-1, len(slots) * channels * parts, *straight.shape[3:]))


def side_by_side(content, stored_type, rows, unit):
    """Turn the bytes of groups into the numbers that they are, those of all groups in a row.

    Args:
        content: String tensor `(batch, groups)`; what a group lacks at its end is silent.
        stored_type: Type of the numbers, of two bytes.
        rows: How many rows a crop has, of `unit` numbers each.
        unit: How many numbers stay together.

    Returns:
        Float32 tensor `(batch, rows, groups * unit)`.
    """
    groups = content.shape[1]
    numbers = tf.io.decode_raw(content, tf.int16, fixed_length=2 * rows * unit)
    numbers = tf.reshape(numbers, (-1, groups, rows, unit))
    # A few wide numbers are moved faster than many narrow ones.
    wide = _UNITS.get(unit)
    if wide:
        numbers = tf.bitcast(numbers, wide) if unit > 1 else numbers[..., 0]
        numbers = tf.bitcast(tf.transpose(numbers, (0, 2, 1)), tf.int16)
    else:
        numbers = tf.transpose(numbers, (0, 2, 1, 3))
    numbers = tf.reshape(numbers, (-1, rows, groups * unit))
    return tf.cast(tf.bitcast(numbers, stored_type), tf.float32)
