import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

import kerasep
from kerasep import ops
from kerasep.errors import InputError


def tone(samples, rate, hertz=50.0):
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate).astype("float32")[None, :, None]


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1), (2, 3), (5, 4)])
def test_a_tone_in_the_pass_band_stays_a_tone(old, new):
    x = tone(2000, 1000 * old)
    y = convert_to_numpy(ops.resample(x, old, new))
    assert y.shape == (1, 2000 * new // old, 1)
    inner = slice(200, -200)
    np.testing.assert_allclose(y[:, inner], tone(y.shape[1], 1000 * new)[:, inner], atol=1e-3)


def test_a_tone_beyond_the_lower_rate_is_gone():
    x = tone(4000, 2000, hertz=700.0)
    y = convert_to_numpy(ops.resample(x, 2, 1))
    assert np.abs(y[:, 200:-200]).max() < 1e-3


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1), (3, 2)])
@pytest.mark.parametrize("samples", [1, 2, 30])
def test_a_constant_stays_what_it_is(old, new, samples):
    y = convert_to_numpy(ops.resample(0.7 * np.ones((2, samples, 3), "float32"), old, new))
    assert y.shape == (2, samples * new // old, 3)
    np.testing.assert_allclose(y, 0.7, rtol=1e-6)


def test_channels_do_not_mix(rng):
    x = rng.standard_normal((2, 50, 3)).astype("float32")
    together = convert_to_numpy(ops.resample(x, 1, 2))
    for channel in range(3):
        alone = convert_to_numpy(ops.resample(x[..., channel : channel + 1], 1, 2))
        np.testing.assert_allclose(together[..., channel], alone[..., 0], atol=1e-6)


@pytest.mark.parametrize(("old", "new"), [(441, 160), (160, 441), (2, 1), (1, 2), (640, 147)])
@pytest.mark.parametrize("seconds", [0, 1, 304, 305, 3600, 9 * 3600])
def test_length_of_long_recordings(old, new, seconds):
    """As in a graph, where a length is a 32-bit integer."""
    for samples in (44100 * seconds, 44100 * seconds + 1, 44100 * seconds + 440):
        if samples * new // old >= 2**31:
            continue
        length = ops.resampled_length(keras.ops.convert_to_tensor(samples, "int32"), old, new)
        assert int(length) == samples * new // old


def test_five_minutes_of_unknown_length():
    model = keras.Sequential([keras.Input((None, 1)), kerasep.layers.Resample(441, 160)])
    x = tone(310 * 44100, 44100)
    y = model.predict(x, verbose=0)
    assert y.shape == (1, 310 * 16000, 1)
    np.testing.assert_allclose(y[:, -5000:-200], tone(310 * 16000, 16000)[:, -5000:-200], atol=1e-3)


@pytest.mark.parametrize("arguments", [(0, 1), (2, 4), (1, 2, 0), (1, 2, 24, 0.0)])
def test_refusals(arguments):
    with pytest.raises(InputError, match="received old="):
        ops.resampling_filters(*arguments)
