"""The layers STFT, InverseSTFT and MelScale."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers import STFT, InverseSTFT, MelScale


@pytest.mark.parametrize("samples", [700, 701, 768])
def test_there_and_back_in_a_model(rng, samples):
    waveform = rng.standard_normal((2, samples, 2)).astype("float32")
    inputs = keras.Input((None, 2))
    outputs = InverseSTFT(128, 32)(STFT(128, 32)(inputs), like=inputs)
    model = keras.Model(inputs, outputs)
    assert model.output_shape == (None, None, 2)
    np.testing.assert_allclose(model.predict_on_batch(waveform), waveform, atol=1e-5)


def test_layers_compute_what_the_functions_do(rng):
    waveform = rng.standard_normal((1, 900, 1)).astype("float32")
    spectrum = STFT(128, 48, "sqrt_hann", center=False)(waveform)
    expected = ops.stft(waveform, 128, 48, "sqrt_hann", center=False)
    np.testing.assert_array_equal(convert_to_numpy(spectrum), convert_to_numpy(expected))
    again = InverseSTFT(128, 48, "sqrt_hann", center=False)(spectrum)
    expected = ops.istft(spectrum, 128, 48, "sqrt_hann", center=False)
    np.testing.assert_array_equal(convert_to_numpy(again), convert_to_numpy(expected))


def test_length_without_like():
    frames = keras.KerasTensor((1, 10, 65, 2, 2))
    assert InverseSTFT(128, 32)(frames).shape == (1, 288, 2)
    assert InverseSTFT(128, 32, center=False)(frames).shape == (1, 416, 2)


def test_mel_scale_is_a_product_with_the_filters(rng):
    magnitude = rng.random((2, 7, 129, 2)).astype("float32")
    filters = ops.mel_filterbank(256, 8000, 20, scale="htk")
    expected = np.einsum("btfc,fm->btmc", magnitude, filters)
    received = convert_to_numpy(MelScale(8000, 20, scale="htk")(magnitude))
    np.testing.assert_allclose(received, expected, rtol=1e-5)


@pytest.mark.parametrize("layer", [STFT, InverseSTFT])
@pytest.mark.parametrize(
    "arguments", [{"n_fft": 129}, {"n_fft": 128, "hop": 97}, {"window": "hat"}]
)
def test_refusals(layer, arguments):
    with pytest.raises(InputError, match="received"):
        layer(**arguments)
