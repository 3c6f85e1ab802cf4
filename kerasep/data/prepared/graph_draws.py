"""Which crops make an epoch, and how they are changed, drawn in the graph by stateless ops.

A draw is a function of the epoch's number; it gives dicts of tensors `(crops, slots)`, a slot being
a source of the model or what is left of the mixture. It lists twice as many crops as an epoch has:
the second half takes the place of what turns out to be damaged.
"""

import numpy as np
import tensorflow as tf


def training_crops(lengths, rows, tracks, crops_per_track=None):
    """Count the crops of a training epoch.

    Args:
        lengths: Int64 array: how many rows each segment has.
        rows: How many a crop has.
        tracks: Names of the segments' tracks.
        crops_per_track: How many crops of each track. Defaults to as many as cover it.

    Returns:
        Int64 array that holds the number of a segment once for each of its crops.
    """
    counts = np.maximum(1, np.rint(lengths / rows)).astype("int64")
    if crops_per_track is not None:
        for track in dict.fromkeys(tracks):
            mine = [number for number, name in enumerate(tracks) if name == track]
            share = np.cumsum(lengths[mine]) / lengths[mine].sum()
            counts[mine] = np.diff(np.rint(share * crops_per_track).astype("int64"), prepend=0)
    return np.repeat(np.arange(len(counts)), counts)


def validation_crops(lengths, rows):
    """List consecutive crops that cover everything.

    Args:
        lengths: Int64 array: how many rows each segment has.
        rows: How many a crop has.

    Returns:
        Int64 arrays of segments and of first rows.
    """
    starts = [np.arange(0, length, rows) for length in lengths]
    segments = np.repeat(np.arange(len(starts)), [len(start) for start in starts])
    return segments, np.concatenate([*starts, []]).astype("int64")


def training_draw(crops, order, slots, remix, gain, swap, seed):
    """Random crops, mixed, scaled and swapped at random.

    Args:
        crops: Something with `lengths` of segments, and `rows` of a crop.
        order: Segments, each as often as an epoch has crops of it.
        slots: How many slots an example has.
        remix: Probability that the slots of an example come from different places.
        gain: Range of the factor of each slot, or None.
        swap: Whether half the slots have their channels swapped.
        seed: Of all choices.

    Returns:
        Function of an epoch's number, a scalar int64 tensor, that returns a dict of `segment`,
        `start`, `gain` and `swap`.
    """
    latest = np.maximum(0, crops.lengths - crops.rows)

    def draw(epoch):
        seeds = iter(tf.unstack(tf.random.experimental.stateless_split([seed, epoch], 8)))
        shape = (2 * len(order), slots)

        def uniform(shape, dtype=tf.float32):
            return tf.random.stateless_uniform(shape, next(seeds), dtype=dtype)

        halves = [tf.argsort(uniform(order.shape), stable=True) for _ in range(2)]
        own = tf.gather(order, tf.concat(halves, 0))[:, None]
        others = tf.random.stateless_uniform(
            shape, next(seeds), minval=0, maxval=len(order), dtype=tf.int64
        )
        # The first source stays, so that an epoch hears that of every track.
        remixed = (uniform((shape[0], 1)) < remix) & (tf.range(slots) > 0)
        segment = tf.where(remixed, tf.gather(order, others), own)
        own_place = uniform((shape[0], 1), tf.float64)
        places = tf.where(remixed, uniform(shape, tf.float64), own_place)
        span = tf.cast(tf.gather(latest, segment) + 1, tf.float64)
        factors = uniform(shape)
        low, high = gain or (1.0, 1.0)
        return {
            "segment": segment,
            "start": tf.cast(places * span, tf.int64),
            "gain": low + (high - low) * factors,
            "swap": (uniform(shape) < 0.5) & swap,
        }

    return draw


def validation_draw(segments, starts, slots):
    """The same crops in every epoch, as recorded.

    Args:
        segments: Segments of the crops.
        starts: Their first rows.
        slots: How many slots an example has.

    Returns:
        A function as `training_draw` returns.
    """

    def draw(_epoch):
        shape = (2 * len(segments), slots)
        return {
            "segment": tf.broadcast_to(np.tile(segments, 2)[:, None], shape),
            "start": tf.broadcast_to(np.tile(starts, 2)[:, None], shape),
            "gain": tf.ones(shape),
            "swap": tf.zeros(shape, tf.bool),
        }

    return draw
