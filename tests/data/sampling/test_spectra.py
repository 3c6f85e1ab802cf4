"""The transform of the pipelines is the transform of the models."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops as keras_ops

from kerasep.data.sampling.spectra import stft
from kerasep.errors import InputError
from kerasep.layers import STFT
from kerasep.ops.stft import count_stft_frames
from kerasep.ops.stft import stft as reference


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("window", ["hann", "sqrt_hann"])
@pytest.mark.parametrize(("n_fft", "hop"), [(512, 128), (1024, 256), (400, 160)])
def test_equals_ops_stft(n_fft, hop, window, center):
    waveform = np.random.default_rng(0).normal(size=(2, 5003, 2)).astype("float32")
    spectrum = stft(waveform, n_fft, hop, window, center)
    expected = keras_ops.convert_to_numpy(reference(waveform, n_fft, hop, window, center))
    assert spectrum.shape == expected.shape
    np.testing.assert_allclose(spectrum, expected, atol=1e-4)


def random_transforms(count):
    """Transforms of all kinds: odd hops, hops above half a frame, lengths of any number of hops."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        n_fft = 2 * int(rng.integers(1, 65))
        hop = int(rng.integers(1, max(1, n_fft * 3 // 4) + 1))
        shortest = n_fft + 1
        yield n_fft, hop, shortest + int(rng.integers(0, 5 * n_fft))


@pytest.mark.parametrize("window", ["hann", "hamming", "rectangular"])
@pytest.mark.parametrize("center", [True, False])
def test_every_transform_equals_the_model_s(window, center):
    for n_fft, hop, samples in random_transforms(12):
        waveform = np.random.default_rng(samples).normal(size=(1, samples, 1)).astype("float32")
        expected = keras_ops.convert_to_numpy(reference(waveform, n_fft, hop, window, center))
        message = f"n_fft={n_fft}, hop={hop}, samples={samples}"
        received = stft(waveform, n_fft, hop, window, center)
        assert received.shape == expected.shape, message
        np.testing.assert_allclose(received, expected, atol=1e-4, err_msg=message)
        assert count_stft_frames(samples, n_fft, hop, center) == expected.shape[1], message
        layer = STFT(n_fft, hop, window, center)
        spec = layer.compute_output_spec(keras.KerasTensor((1, samples, 1)))
        assert spec.shape == expected.shape, message


def test_unknown_length():
    @tf.function(input_signature=[tf.TensorSpec((1, None, 1))])
    def dynamic(waveform):
        return stft(waveform, 512, 384)

    for samples in (385, 1000, 1151, 1152, 1153):
        waveform = np.random.default_rng(0).normal(size=(1, samples, 1)).astype("float32")
        expected = keras_ops.convert_to_numpy(reference(waveform, 512, 384))
        np.testing.assert_allclose(dynamic(waveform), expected, atol=1e-4)


def test_refuses_a_waveform_too_short_to_reflect():
    with pytest.raises(InputError, match="received a waveform of 256 samples for n_fft=512"):
        stft(np.zeros((1, 256, 1), "float32"), 512, 128)
    with pytest.raises(InputError, match=r"of 511 samples.*at least 512"):
        stft(np.zeros((1, 511, 1), "float32"), 512, 128, center=False)
    with pytest.raises(InputError, match="received hop=400"):
        stft(np.zeros((1, 5000, 1), "float32"), 512, 400)
    assert stft(np.zeros((1, 257, 1), "float32"), 512, 128).shape == (1, 3, 257, 1, 2)
