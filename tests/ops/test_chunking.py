"""Chunks of any length are split and joined exactly, and joined without a jump."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers import JoinChunks, SplitChunks

FEW = settings(max_examples=25, deadline=None)


def expected_chunks(x, chunk, overlap):
    hop = chunk - overlap
    count = 1
    while (count - 1) * hop + chunk < len(x):
        count += 1
    padded = np.concatenate([x, np.zeros((count * chunk, *x.shape[1:]))])
    return np.stack([padded[i * hop : i * hop + chunk] for i in range(count)])


@FEW
@given(st.data())
def test_any_length_and_overlap_comes_back(data):
    chunk = data.draw(st.integers(1, 12), "chunk")
    overlap = data.draw(st.integers(0, chunk - 1), "overlap")
    length = data.draw(st.integers(1, 40), "length")
    x = np.random.default_rng(0).standard_normal((2, length, 3)).astype("float32")
    chunks = convert_to_numpy(ops.split_chunks(x, chunk, overlap))
    expected = np.stack([expected_chunks(example, chunk, overlap) for example in x])
    np.testing.assert_array_equal(chunks, expected)
    joined = convert_to_numpy(ops.join_chunks(chunks, overlap, length))
    np.testing.assert_allclose(joined, x, atol=1e-6)


@pytest.mark.parametrize(("chunk", "overlap"), [(8, 0), (8, 3), (8, 4), (8, 7)])
@pytest.mark.parametrize("shape", [(3, 30, 5, 2), (1, 8), (2, 3, 4)])
def test_layers_there_and_back(rng, chunk, overlap, shape):
    x = rng.standard_normal(shape).astype("float32")
    chunks = SplitChunks(chunk, overlap)(x)
    assert chunks.shape[1] == chunk
    joined = JoinChunks(overlap)(chunks, x)
    np.testing.assert_allclose(convert_to_numpy(joined), x, atol=1e-6)


def test_the_weights_are_linear_fades():
    ones = np.ones((1, 2, 8, 1), "float32") * np.array([0.0, 1.0])[None, :, None, None]
    joined = convert_to_numpy(ops.join_chunks(ones.astype("float32"), overlap=4))[0, :, 0]
    fade = (np.arange(4) + 0.5) / 4
    np.testing.assert_allclose(joined, [0] * 4 + [*fade] + [1] * 4, atol=1e-6)


@pytest.mark.parametrize("overlap", [8, 32, 48])
def test_chunks_that_differ_make_no_jump(overlap):
    """Between chunks of different constants, longer overlaps make smaller steps."""
    levels = np.arange(6) % 2
    chunks = np.broadcast_to(levels[None, :, None, None], (1, 6, 64, 1)).astype("float32")
    steps = np.abs(np.diff(convert_to_numpy(ops.join_chunks(chunks, overlap))[0, :, 0]))
    assert steps.max() < 1.5 / min(overlap, 64 - overlap)


def test_refusals():
    for arguments in [(0, 0), (8, 8), (8, -1)]:
        with pytest.raises(InputError, match="received chunk="):
            SplitChunks(*arguments)
    with pytest.raises(InputError, match="received chunk="):
        JoinChunks(-1)
    with pytest.raises(InputError, match="chunk=4, overlap=4"):
        JoinChunks(4)(np.zeros((2, 4, 1)), np.zeros((1, 8, 1)))
    with pytest.raises(InputError, match="length=9 for 2 chunks, which reach to 8"):
        ops.join_chunks(np.zeros((1, 2, 4, 1)), 0, 9)
