"""Mean and deviation in one pass, against NumPy in float64 with everything in memory."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from kerasep import ops
from kerasep.errors import InputError


@settings(deadline=None, max_examples=30)
@given(
    offset=st.sampled_from([0.0, 1e3, -1e6]),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    axis=st.sampled_from([2, -1, (2, 3), (1, 3), None]),
    seed=st.integers(0, 99),
)
def test_equal_numpy(offset, sizes, axis, seed):
    rng = np.random.default_rng(seed)
    batches = [offset + rng.standard_normal((size, 3, 4, 2)) for size in sizes]
    mean, deviation = ops.running_statistics(iter(batches), axis)
    kept = set() if axis is None else {index % 4 for index in np.ravel(axis)}
    rest = tuple(set(range(4)) - kept)
    everything = np.concatenate(batches)
    # Around their mean, since NumPy too squares deviations from a rounded one.
    np.testing.assert_allclose(mean, everything.mean(axis=rest), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(deviation, everything.std(axis=rest), rtol=1e-8)


def test_float32_batches_lose_nothing_over_many_of_them(rng):
    batches = [(3e4 + rng.standard_normal((2, 200, 3))).astype("float32") for _ in range(300)]
    mean, deviation = ops.running_statistics(batches)
    everything = np.concatenate(batches).astype("float64")
    np.testing.assert_allclose(mean, everything.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(deviation, everything.std(axis=(0, 1)), rtol=1e-9)


def test_refusals():
    one = np.ones((1, 4, 3))
    for nothing in ([], [one, one], [one[:, :0]]):
        with pytest.raises(InputError, match="empty or silent"):
            ops.running_statistics(nothing)
    with pytest.raises(InputError, match="the same number in every batch"):
        ops.running_statistics([one, np.ones((1, 4, 2))])
    with pytest.raises(InputError, match="not finite"):
        ops.running_statistics([one, one * np.nan])
