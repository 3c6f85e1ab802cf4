"""The transform of the pipelines is the transform of the models."""

import numpy as np
import pytest
from keras import ops as keras_ops

from kerasep.data.spectra import stft
from kerasep.errors import InputError
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


def test_refuses_a_waveform_too_short_to_reflect():
    with pytest.raises(InputError, match="received 256 samples for n_fft=512"):
        stft(np.zeros((1, 256, 1), "float32"), 512, 128)
    assert stft(np.zeros((1, 257, 1), "float32"), 512, 128).shape == (1, 3, 257, 1, 2)
