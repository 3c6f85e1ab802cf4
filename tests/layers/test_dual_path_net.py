"""The dual-path network: its receptive field and its size."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import DualPathNet

SMALL = {"outputs": 4, "chunk": 6, "blocks": 2, "bottleneck": 5, "hidden": 3}


def seen(layer, frames=60, changed=31):
    """Return the frames of the output that change with one input frame."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).standard_normal((1, frames, 3)).astype("float32")
    before = convert_to_numpy(layer(x))
    x[:, changed, 0] += 3  # the norm of a frame would undo an equal change of all three
    return np.flatnonzero(np.abs(convert_to_numpy(layer(x)) - before).max(axis=(0, 2)) > 1e-7)


def test_a_global_norm_sees_everything():
    np.testing.assert_array_equal(seen(DualPathNet(**SMALL)), range(60))


def test_one_direction_looks_no_further_than_a_chunk_ahead():
    moved = seen(DualPathNet(**SMALL, norm="layer", bidirectional=False))
    assert 31 - 6 < moved.min() <= 31
    assert moved.max() > 50  # further than a chunk
    moved = seen(DualPathNet(**SMALL, norm="layer"))
    assert moved.min() < 6
    assert moved.max() > 50


def test_the_published_size():
    layer = DualPathNet(2 * 128)
    layer.build((None, None, 64))
    lstm = 2 * 4 * 128 * (128 + 128 + 1)
    path = lstm + (256 + 1) * 128 + 2 * 128
    rest = 2 * 64 + (64 + 1) * 128 + 1 + (128 + 1) * 256
    assert layer.count_params() == 12 * path + rest


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"outputs": 0}, "outputs=0"),
        ({"chunk": 0}, "chunk=0"),
        ({"hop": 7}, "hop=7"),
        ({"norm": "cumulative"}, "norm='cumulative'"),
    ],
)
def test_refusals(changes, expected):
    with pytest.raises(InputError, match=expected):
        DualPathNet(**{**SMALL, **changes})
