"""Chunks that are summed up, against loops."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError

SIZES = pytest.mark.parametrize(
    ("frames", "chunk", "hop"), [(20, 8, 4), (21, 8, 3), (3, 8, 4), (20, 5, 5), (17, 7, 2)]
)


def starts(frames, chunk, hop):
    return range(-chunk, frames + 1, hop)


@SIZES
def test_unfold(rng, frames, chunk, hop):
    x = rng.standard_normal((2, frames, 3)).astype("float32")
    padded = np.pad(x, ((0, 0), (chunk, chunk), (0, 0)))
    places = [chunk + start for start in starts(frames, chunk, hop)]
    expected = np.stack([padded[:, place : place + chunk] for place in places], axis=1)
    assert expected.shape[1] == 1 + (frames + chunk) // hop
    np.testing.assert_array_equal(convert_to_numpy(ops.unfold(x, chunk, hop)), expected)


@SIZES
def test_fold(rng, frames, chunk, hop):
    places = [chunk + start for start in starts(frames, chunk, hop)]
    chunks = rng.standard_normal((2, len(places), chunk, 3)).astype("float32")
    total = np.zeros((2, frames + 3 * chunk, 3), "float32")
    for index, place in enumerate(places):
        total[:, place : place + chunk] += chunks[:, index]
    received = convert_to_numpy(ops.fold(chunks, hop, frames))
    np.testing.assert_allclose(received, total[:, chunk : chunk + frames], atol=1e-6)


@pytest.mark.parametrize(("chunk", "hop"), [(0, 1), (8, 0), (8, 9)])
def test_refusals(chunk, hop):
    with pytest.raises(InputError, match=f"chunk={chunk}, hop={hop}"):
        ops.unfold(np.zeros((1, 20, 3), "float32"), chunk, hop)
