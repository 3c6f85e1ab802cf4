import itertools

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses


@pytest.mark.parametrize("sources", [1, 2, 3, 4])
def test_the_mean_over_all_sums(rng, sources):
    true, estimate = rng.standard_normal((2, 5, 40, 2, sources)).astype("float32")
    indices = range(sources)
    sums = [c for size in range(1, max(2, sources)) for c in itertools.combinations(indices, size)]
    errors = [
        np.square((true - estimate)[..., list(chosen)].sum(axis=-1)).mean(axis=(1, 2))
        for chosen in sums
    ]
    loss = losses.Combinations(losses.Waveform(p=2), reduction=None)
    np.testing.assert_allclose(
        convert_to_numpy(loss(true, estimate)), np.mean(errors, axis=0), rtol=1e-5
    )


def test_spectra_are_summed_before_their_magnitudes(rng):
    reference = rng.standard_normal((2, 3, 4, 1, 4, 2)).astype("float32")
    estimate = rng.random((2, 3, 4, 1, 3)).astype("float32")
    spectra = reference[..., 1:, 0] + 1j * reference[..., 1:, 1]
    chosen = [[0], [1], [2], [0, 1], [0, 2], [1, 2]]
    errors = [
        np.abs(np.abs(spectra[..., c].sum(axis=-1)) - estimate[..., c].sum(axis=-1)) for c in chosen
    ]
    loss = losses.Combinations(losses.MagnitudeSpectrum(p=1))
    np.testing.assert_allclose(
        convert_to_numpy(loss(reference, estimate)), np.mean(errors), rtol=1e-5
    )
