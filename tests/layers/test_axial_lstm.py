"""Axial LSTM and convolution module: what they mix, and their values."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import AxialLSTM, ConvolutionModule, EndPad


def test_an_axial_lstm_runs_along_its_axis(rng):
    x = rng.standard_normal((2, 4, 5, 6)).astype("float32")
    bands, frames = AxialLSTM(3, axis=2), AxialLSTM(3, axis=1)
    bands(x)
    frames(x)
    frames.set_weights(bands.get_weights())
    along_bands = convert_to_numpy(bands(x))
    along_frames = convert_to_numpy(frames(x.swapaxes(1, 2)))
    np.testing.assert_allclose(along_bands.swapaxes(1, 2), along_frames, atol=1e-6)
    normalised = (x[1] - x[1].mean()) / np.sqrt(x[1].var() + 1e-5)
    expected = x[1, 2] + convert_to_numpy(bands.dense(bands.lstm(normalised[2:3])))[0]
    np.testing.assert_allclose(along_bands[1, 2], expected, atol=1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_convolution_module(rng):
    """One block, written out for one band."""
    layer = ConvolutionModule(compression=2)
    x = rng.standard_normal((2, 7, 3, 6)).astype("float32")
    before = convert_to_numpy(layer(x))
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
    assert np.abs(convert_to_numpy(layer(x)) - before).max() > 0.1
    norm, conv, depthwise, hidden_norm, dense = (
        [convert_to_numpy(weight) for weight in part.weights] for part in layer.steps[0]
    )

    def normalised(y, weights):
        gamma, beta = weights
        return (y - y.mean()) / np.sqrt(y.var() + 1e-5) * gamma + beta

    def frames(y, size=3):
        y = np.pad(y, [(size // 2, size // 2), (0, 0)])
        return np.stack([y[i : len(y) - size + 1 + i] for i in range(size)], axis=1)

    band = x[1, :, 2].astype("float64")
    y = np.einsum("tkc,kcd->td", frames(normalised(band, norm)), conv[0]) + conv[1]
    y = y[:, :3] * sigmoid(y[:, 3:])
    y = np.einsum("tkc,kcm->tc", frames(y), depthwise[0]) + depthwise[1]
    y = normalised(y, hidden_norm)
    y = (y * sigmoid(y)) @ dense[0] + dense[1]
    np.testing.assert_allclose(convert_to_numpy(layer(x))[1, :, 2], band + y, atol=1e-4)


def test_end_pad(rng):
    x = rng.standard_normal((1, 5, 2)).astype("float32")
    y = convert_to_numpy(EndPad(4, 3)(x))
    assert y.shape == (1, 7, 2)
    np.testing.assert_array_equal(y[:, :5], x)
    assert not y[:, 5:].any()


def test_refusals():
    with pytest.raises(InputError, match=r"received units=3, axis=3, expected .* axis 1"):
        AxialLSTM(3, axis=3)
    with pytest.raises(InputError, match="received units=0"):
        AxialLSTM(0)
    with pytest.raises(InputError, match="received blocks=0, compression=4"):
        ConvolutionModule(0)
    with pytest.raises(InputError, match="received 3 features, expected at least compression=4"):
        ConvolutionModule().build((None, None, 5, 3))
    with pytest.raises(InputError, match="received step=4, least=0"):
        EndPad(4, 0)
