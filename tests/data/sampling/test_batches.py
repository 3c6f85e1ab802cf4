"""Batches in parts, padded, of half the size, and read ahead."""

import numpy as np
import tensorflow as tf

from kerasep.data.sampling import batches


def values(dataset):
    return [tf.nest.map_structure(lambda x: x.numpy().tolist(), batch) for batch in dataset]


def test_split_keeps_the_order_and_the_length():
    parts = batches.split(tf.data.Dataset.range(8).batch(4, True), 2)
    assert values(parts) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert int(parts.cardinality()) == 4


def test_part_takes_its_share_of_every_batch():
    numbers = tf.data.Dataset.range(6).batch(4)
    assert [values(batches.part(numbers, i, 2)) for i in (0, 1)] == [[[0, 1], [4]], [[2, 3], [5]]]
    pairs = tf.data.Dataset.zip(numbers, numbers)
    assert values(batches.part(pairs, 1, 2)) == [([2, 3], [2, 3]), ([5], [5])]


def test_fill_weights_the_padding_with_zero():
    numbers = tf.range(3.0)
    ((inputs, targets, weights),) = values(
        batches.fill(tf.data.Dataset.from_tensors((numbers, 2 * numbers)), 2, examples=3)
    )
    assert (inputs, targets) == ([0, 1, 2, 0], [0, 2, 4, 0])
    assert weights == [tf.constant(4 / 3).numpy()] * 3 + [0]


def test_halved_waveforms_keep_73_db():
    noise = tf.random.stateless_normal((4096,), (1, 2))
    for level in (1, 1e-3):
        pair = tf.data.Dataset.from_tensors((level * noise, {"a": noise}))
        ((x, targets),) = batches.halved(pair)
        assert x.dtype == targets["a"].dtype == tf.float16
        error = tf.cast(x, tf.float32) / level - noise
        assert 10 * np.log10(np.sum(noise**2) / np.sum(error**2)) > 73


def test_ahead_changes_nothing():
    assert values(batches.ahead(tf.data.Dataset.range(3), 2, on_gpu=False)) == [0, 1, 2]
