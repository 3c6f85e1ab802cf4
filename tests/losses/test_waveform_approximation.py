"""Waveform approximation against the loss of separately computed waveforms."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, ops, targets
from kerasep.errors import InputError

N_FFT, HOP, SAMPLES = 64, 16, 320


@pytest.fixture
def reference(rng):
    waveforms = rng.standard_normal((2, SAMPLES, 2 * 3)).astype("float32")
    spectra = ops.stft(waveforms, N_FFT, HOP)
    spectra = convert_to_numpy(spectra).reshape(2, -1, N_FFT // 2 + 1, 2, 3, 2)
    return waveforms.reshape(2, SAMPLES, 2, 3), targets.pack_reference(spectra.sum(-2), spectra)


def test_is_the_loss_of_the_waveforms_with_the_mixture_s_phase(rng, reference):
    waveforms, reference = reference
    masks = rng.random((2, SAMPLES // HOP + 1, N_FFT // 2 + 1, 2, 3)).astype("float32")
    mixture = convert_to_numpy(reference)[..., 0, :]
    estimates = [
        ops.istft(masks[..., i, None] * mixture, N_FFT, HOP, length=SAMPLES) for i in range(3)
    ]
    estimates = np.stack([convert_to_numpy(estimate) for estimate in estimates], axis=-1)
    magnitudes = masks * np.linalg.norm(mixture, axis=-1)[..., None]
    loss = losses.WaveformApproximation(losses.SISDR(), reduction=None)
    expected = convert_to_numpy(losses.SISDR(reduction=None)(waveforms, estimates))
    received = convert_to_numpy(loss(reference, magnitudes))
    np.testing.assert_allclose(received, expected, atol=1e-3)


def test_inside_permutation_invariance(reference):
    _, reference = reference
    alone = losses.WaveformApproximation(losses.SNR())
    magnitudes = convert_to_numpy(targets.truncated_phase_sensitive_target(reference))
    best = convert_to_numpy(alone(reference, magnitudes))
    turned = magnitudes[..., [2, 0, 1]]
    assert convert_to_numpy(alone(reference, turned)) > best + 1
    invariant = losses.PermutationInvariant(alone)
    np.testing.assert_allclose(convert_to_numpy(invariant(reference, turned)), best, rtol=1e-4)


def test_what_it_refuses(reference):
    _, reference = reference
    loss = losses.WaveformApproximation(losses.SNR())
    magnitudes = targets.magnitude_target(reference)
    for wrong in [
        (reference[:, :1], magnitudes[:, :1]),
        (reference, magnitudes[..., :2]),
        (magnitudes, magnitudes),
    ]:
        with pytest.raises(InputError, match=r"received.*expected"):
            loss(*wrong)
    with pytest.raises(InputError, match=r"received.*expected"):
        losses.WaveformApproximation(losses.SNR(), overlap=1)
