"""Batches taken in parts, and filled up, for what trains on them."""

import tensorflow as tf


def split(dataset, parts):
    """Split every batch into equal parts, one after the other; the examples keep their order.

    Args:
        dataset: a tf.data.Dataset of batches of one known size.
        parts: how many; their number divides that size.

    Returns:
        A tf.data.Dataset.

    Example:
    >>> import tensorflow as tf
    >>> [part.numpy().tolist() for part in split(tf.data.Dataset.range(4).batch(4, True), 2)]
    [[0, 1], [2, 3]]
    """
    size = tf.nest.flatten(dataset.element_spec)[0].shape[0]
    steps = int(dataset.cardinality())
    dataset = dataset.rebatch(size // parts)
    if steps >= 0:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps * parts))
    return dataset


def with_mixture(dataset, heads=None):
    """Stack the mixture and its sources, for a loss that needs both.

    Args:
        dataset: a tf.data.Dataset of (mixture `(batch, samples, channels)`, sources `(batch,
            samples, channels, sources)`).
        heads: names of a model's outputs, each of which gets the targets; None for a single one.

    Returns:
        A tf.data.Dataset of (mixture, targets `(batch, samples, channels, 1 + sources)`, or a dict
        of them).

    Example:
    >>> import tensorflow as tf
    >>> pairs = tf.data.Dataset.from_tensors((tf.ones((2, 9, 1)), tf.zeros((2, 9, 1, 3))))
    >>> [tuple(targets.shape) for _, targets in with_mixture(pairs)]
    [(2, 9, 1, 4)]
    """

    def laid(mixture, sources):
        both = tf.concat([mixture[..., None], sources], axis=-1)
        return mixture, dict.fromkeys(heads, both) if heads else both

    return dataset.map(laid)


def fill(dataset, multiple, examples):
    """Pad batches to a multiple of a number of examples, with weights of 0 for the padding.

    A batch that is spread over devices has the same number of examples for each. The weights are
    such that the mean loss over all batches is that over the true examples.

    Args:
        dataset: a tf.data.Dataset of batches (inputs, targets), all but the last of a size that is
            a multiple.
        multiple: that number.
        examples: how many there are in all.

    Returns:
        A tf.data.Dataset of (inputs, targets, weights `(batch,)`).

    Example:
    >>> import tensorflow as tf
    >>> batches = tf.data.Dataset.from_tensors((tf.range(3.0), tf.range(3.0)))
    >>> for inputs, _, weights in fill(batches, 2, examples=3):
    ...     print(inputs.numpy(), weights.numpy().round(2))
    [0. 1. 2. 0.] [1.33 1.33 1.33 0.  ]
    """
    weight = -(-examples // multiple) * multiple / examples

    def filled(inputs, targets):
        size = tf.shape(tf.nest.flatten(inputs)[0])[0]
        missing = -size % multiple
        # With what is there already: silence may have no loss.
        rows = tf.range(size + missing) % size
        weights = tf.pad(tf.fill([size], weight), [[0, missing]])
        inputs, targets = tf.nest.map_structure(lambda x: tf.gather(x, rows), (inputs, targets))
        return inputs, targets, weights

    return dataset.map(filled)


def part(dataset, number, count):
    """Select one of several equal parts of every batch, for one of several processes.

    Args:
        dataset: a tf.data.Dataset of batches.
        number: of the part, from 0 on.
        count: of all parts; every batch's size is a multiple.

    Returns:
        A tf.data.Dataset.

    Example:
    >>> import tensorflow as tf
    >>> [batch.numpy().tolist() for batch in part(tf.data.Dataset.range(4).batch(4), 1, 2)]
    [[2, 3]]
    """

    def kept(*batch):
        def rows(tensor):
            share = tf.shape(tensor)[0] // count
            return tensor[number * share : (number + 1) * share]

        batch = tf.nest.map_structure(rows, batch)
        return batch if len(batch) > 1 else batch[0]

    return dataset.map(kept)
