import numpy as np
import pytest

from kerasep.tflite.parity import agreement, signals


def test_signals_are_at_the_level_of_music_and_differ_by_seed():
    waves = signals(8000, 2, 16000)
    assert list(waves) == ["music", "noise"]
    for kind, wave in waves.items():
        assert (wave.shape, wave.dtype) == ((1, 8000, 2), np.float32)
        assert 0.02 < wave.std() < 0.5
        assert np.array_equal(wave, signals(8000, 2, 16000)[kind])
        assert not np.array_equal(wave, signals(8000, 2, 16000, seed=1)[kind])


@pytest.mark.parametrize(
    ("expected", "received", "ratio", "largest"),
    [
        (np.ones(10), np.ones(10), np.inf, 0),
        (np.ones(10), np.full(10, 1.125), 20 * np.log10(8), 0.125),
        (np.zeros(10), np.full(10, 1e-7), np.inf, 1e-7),  # both silent
        (np.zeros(10), np.full(10, 1e-3), -2950, 1e-3),
        (np.ones(10), np.full(10, np.inf), np.nan, np.nan),
    ],
)
def test_agreement(expected, received, ratio, largest):
    np.testing.assert_allclose(agreement(expected, received), (ratio, largest), rtol=1e-3)
