"""Batches split, padded, of half the size or read ahead, as training needs them."""

import tensorflow as tf


def split(dataset, parts):
    """Split every batch into equal parts, in order; their number divides the batch size."""
    size = tf.nest.flatten(dataset.element_spec)[0].shape[0]
    steps = int(dataset.cardinality())
    dataset = dataset.rebatch(size // parts)
    if steps >= 0:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps * parts))
    return dataset


def halved(dataset):
    """Return waveforms in 16-bit floats, 73 dB above their rounding error at any level."""

    def cast(*batch):
        return tf.nest.map_structure(lambda x: tf.cast(x, tf.float16), batch)

    return dataset.map(cast)


def ahead(dataset, batches, on_gpu):
    """Read batches ahead; with `on_gpu`, into TensorFlow's first GPU, while it works on others."""
    if on_gpu:
        return dataset.apply(tf.data.experimental.prefetch_to_device("/GPU:0", batches))
    return dataset.prefetch(batches)


def as_arrays(dataset):
    """Yield the batches as NumPy arrays, which Keras would otherwise copy."""
    yield from dataset.as_numpy_iterator()


def fill(dataset, multiple, examples):
    """Pad batches to a multiple of a number of examples, with weights of 0 for the padding.

    Devices then receive the same number of examples. With these weights the mean loss over all
    batches is that over the `examples` of the dataset.
    """
    weight = -(-examples // multiple) * multiple / examples

    def padded(inputs, targets):
        size = tf.shape(tf.nest.flatten(inputs)[0])[0]
        missing = -size % multiple
        # Padded with the batch's own examples: the loss of silence may be undefined.
        rows = tf.range(size + missing) % size
        weights = tf.pad(tf.fill([size], weight), [[0, missing]])
        inputs, targets = tf.nest.map_structure(lambda x: tf.gather(x, rows), (inputs, targets))
        return inputs, targets, weights

    return dataset.map(padded)


def part(dataset, number, count):
    """Select part `number` of `count` equal parts of every batch, for one of several processes."""

    def selected(*batch):
        batch = tf.nest.map_structure(lambda x: tf.split(x, count)[number], batch)
        return batch if len(batch) > 1 else batch[0]

    return dataset.map(selected)
