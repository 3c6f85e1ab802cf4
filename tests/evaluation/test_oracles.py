"""Estimates of the ideal masks: exact where they must be, and the same in chunks."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.evaluation import oracle_estimates, oracles

MODEL = SimpleNamespace(sample_rate=8000, stft={"n_fft": 512, "hop": 128, "window": "hann"})


@pytest.mark.parametrize("samples", [100, 3001, 8000])
def test_oracle_of_a_stem_that_is_alone(rng, samples):
    """Every mask is one: the stem comes back whole, at any length."""
    stems = np.zeros((samples, 2, 2), "float32")
    stems[..., 0] = rng.standard_normal((samples, 2))
    for estimate in oracle_estimates(MODEL, stems.sum(axis=-1), stems).values():
        np.testing.assert_allclose(estimate, stems, atol=1e-4)


def test_oracles_in_chunks_equal_the_whole(rng, monkeypatch):
    stems = rng.standard_normal((16000, 1, 2)).astype("float32")
    whole = oracle_estimates(MODEL, stems.sum(axis=-1), stems)
    monkeypatch.setattr(oracles, "CHUNK_SECONDS", 0.6)
    chunked = oracle_estimates(MODEL, stems.sum(axis=-1), stems)
    for name in whole:
        np.testing.assert_allclose(chunked[name], whole[name], atol=1e-4)
