import numpy as np
import pytest

from kerasep.separation.levels import measure


@pytest.mark.parametrize("size", [1, 7, 1000, 5000])
def test_level_of_blocks(size):
    rng = np.random.default_rng(0)
    signal = (0.1 * rng.standard_normal((5000, 2)) + 0.7).astype("float32")
    signal[2500:] *= 0.01
    level = measure(signal[start : start + size] for start in range(0, 5000, size))
    mono = signal.mean(axis=1, dtype="float64")
    assert level.mean == pytest.approx(mono.mean(), rel=1e-9)
    assert level.deviation == pytest.approx(mono.std(ddof=1) + 1e-8, rel=1e-9)


def test_silence_can_be_divided_by_its_deviation():
    assert measure([np.zeros((0, 2)), np.zeros((5, 2))]) == (0.0, 1e-8)
    assert measure([np.ones((1, 2))]) == (1.0, 1e-8)
