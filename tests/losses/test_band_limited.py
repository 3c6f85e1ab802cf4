"""Band-limited losses against the loss of spectra whose upper bins are scaled by hand."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, targets
from kerasep.errors import InputError

# Nine bins, 1 kHz apart.
SETTINGS = {"limits": [5000, None], "sample_rate": 16000}


@pytest.fixture
def pair(rng):
    spectra = rng.standard_normal((3, 4, 9, 2, 2, 2)).astype("float32")
    reference = convert_to_numpy(targets.pack_reference(spectra.sum(-2), spectra))
    return reference, rng.random((3, 4, 9, 2, 2)).astype("float32")


@pytest.mark.parametrize("above", [0.0, 0.3])
def test_is_the_loss_of_the_scaled_spectra(pair, above):
    reference, estimates = pair
    inner = losses.MagnitudeSpectrum(p=2, reduction=None)
    received = losses.BandLimited(inner, **SETTINGS, above=above, reduction=None)(*pair)
    reference, estimates = reference.copy(), estimates.copy()
    reference[:, :, 6:, :, 1] *= above  # 5 kHz itself still counts; index 0 is the mixture
    estimates[:, :, 6:, :, 0] *= above
    expected = convert_to_numpy(inner(reference, estimates))
    np.testing.assert_allclose(convert_to_numpy(received), expected, rtol=1e-6)


def test_gradients_end_at_the_limit(pair, gradients):
    loss = losses.BandLimited(losses.MagnitudeSpectrum(p=2), **SETTINGS, reduction="sum")
    slopes = gradients(loss, *pair)[1][-1]
    assert np.all(slopes[:, :, 6:, :, 0] == 0)
    assert np.all(slopes[:, :, :6, :, 0] != 0)
    assert np.all(slopes[..., 1] != 0)


def test_of_waveforms_with_the_mixture_s_phase(pair):
    reference, estimates = pair
    inner = losses.WaveformApproximation(losses.SNR())
    received = float(losses.BandLimited(inner, **SETTINGS, above=1.0)(reference, estimates))
    assert received == pytest.approx(float(inner(reference, estimates)), abs=1e-5)
    estimates[:, :, 6:, :, 0] += 9.0
    limited = losses.BandLimited(inner, **SETTINGS)
    changed = float(limited(reference, estimates))
    assert changed == pytest.approx(float(limited(*pair)), abs=1e-5)
    assert float(inner(reference, estimates)) > received + 1


@pytest.mark.parametrize(
    "wrong",
    [{"limits": [9000, None]}, {"limits": [0, None]}, {"above": 1.5}, {"above": -0.1}],
)
def test_refuses_what_is_out_of_range(wrong):
    with pytest.raises(InputError, match=r"received limits=.*expected frequencies"):
        losses.BandLimited(losses.MagnitudeSpectrum(), **{**SETTINGS, **wrong})


def test_refuses_another_number_of_sources(pair):
    loss = losses.BandLimited(losses.MagnitudeSpectrum(), limits=[None] * 3, sample_rate=16000)
    with pytest.raises(InputError, match="one source per limit"):
        loss(*pair)
