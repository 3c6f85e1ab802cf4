"""Inverted and binary masks."""

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from keras.ops import convert_to_numpy

from kerasep import ops

masks = arrays.arrays(
    "float32",
    st.sampled_from([(1, 1, 1, 1, 1), (2, 3, 4, 2, 3)]),
    elements=st.floats(0, 1, width=32, allow_subnormal=False),
)


@settings(deadline=None, max_examples=30)
@given(masks)
def test_a_mask_and_its_inverse_sum_to_one(mask):
    total = mask + convert_to_numpy(ops.invert_mask(mask))
    np.testing.assert_allclose(total, 1, atol=1e-7)


@settings(deadline=None, max_examples=30)
@given(masks)
def test_each_bin_belongs_to_one_of_the_loudest(values):
    mask = convert_to_numpy(ops.binary_mask(values))
    assert set(np.unique(mask)) <= {0, 1}
    np.testing.assert_array_equal(mask.sum(axis=-1), 1)
    np.testing.assert_array_equal((mask * values).sum(axis=-1), values.max(axis=-1))


@settings(deadline=None, max_examples=30)
@given(masks, st.floats(0, 1, width=32))
def test_a_threshold_looks_at_each_source_alone(values, threshold):
    mask = convert_to_numpy(ops.binary_mask(values, threshold))
    np.testing.assert_array_equal(mask, values > np.float32(threshold))


def test_sources_may_be_permuted(rng):
    values = rng.random((2, 3, 4, 1, 5)).astype("float32")
    order = rng.permutation(5)
    mask = convert_to_numpy(ops.binary_mask(values))
    permuted = convert_to_numpy(ops.binary_mask(values[..., order]))
    np.testing.assert_array_equal(permuted, mask[..., order])


def test_types_of_few_bits(rng):
    mask = rng.random((1, 2, 3, 1, 2)).astype("float16")
    assert convert_to_numpy(ops.invert_mask(mask)).dtype == "float32"
    assert convert_to_numpy(ops.binary_mask(mask)).dtype == "float32"
