"""Filterbanks against loops, their exact inverses, and designed filters."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers import (
    GammatoneAnalysis,
    InverseMelScale,
    LearnedAnalysis,
    LearnedSynthesis,
    MelScale,
    SincAnalysis,
)

FEW = settings(max_examples=15, deadline=None)
SIZES = pytest.mark.parametrize(
    ("samples", "kernel_size", "hop"),
    [(100, 16, 8), (101, 16, 8), (97, 10, 3), (5, 9, 4), (9, 9, 9)],
)


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@SIZES
def test_analysis_and_synthesis_by_loops(samples, kernel_size, hop):
    x, filters = noise(2, samples, 2), noise(6, kernel_size)
    frames = 1 + max(0, int(np.ceil((samples - kernel_size) / hop)))
    padded = np.concatenate([x, np.zeros((2, kernel_size + hop, 2))], axis=1)
    expected = np.zeros((2, frames, 6, 2))
    for t in range(frames):
        piece = padded[:, t * hop : t * hop + kernel_size]
        expected[:, t] = np.einsum("bnc,fn->bfc", piece, filters)
    features = convert_to_numpy(ops.analysis(x, filters, hop))
    np.testing.assert_allclose(features, expected, atol=1e-5)

    expected = np.zeros((2, (frames - 1) * hop + kernel_size, 2))
    for t in range(frames):
        piece = np.einsum("bfc,fn->bnc", features[:, t], filters)
        expected[:, t * hop : t * hop + kernel_size] += piece
    waveform = convert_to_numpy(ops.synthesis(features, filters, hop))
    np.testing.assert_allclose(waveform, expected, atol=1e-4)
    assert ops.synthesis(features, filters, hop, samples).shape[1] == samples


def test_sources_are_synthesised_alone():
    features, filters = noise(2, 5, 6, 2, 3), noise(6, 8)
    together = convert_to_numpy(ops.synthesis(features, filters, 4))
    alone = [convert_to_numpy(ops.synthesis(features[..., s], filters, 4)) for s in range(3)]
    np.testing.assert_allclose(together, np.stack(alone, axis=-1), atol=1e-5)


def analyses():
    return [LearnedAnalysis(64, 17), SincAnalysis(64, 17), GammatoneAnalysis(64, 17)]


@pytest.mark.parametrize("index", range(3), ids=["learned", "sinc", "gammatone"])
def test_each_takes_the_place_of_the_others(index):
    inputs = keras.Input((None, 2))
    features = analyses()[index](inputs)
    model = keras.Model(inputs, LearnedSynthesis(17)(features, like=inputs))
    assert features.shape == (None, None, 64, 2)
    assert model.output_shape == (None, None, 2)
    x = noise(1, 301, 2)
    y = convert_to_numpy(model(x))
    assert y.shape == x.shape
    # Channels are processed alone, and a delay by a hop, 8 samples, delays the result.
    swapped = convert_to_numpy(model(x[..., ::-1]))
    np.testing.assert_allclose(swapped, y[..., ::-1], atol=1e-5 * np.abs(y).max())
    delayed = convert_to_numpy(model(np.pad(x, ((0, 0), (8, 0), (0, 0)))))
    np.testing.assert_allclose(delayed[:, 24:-24], y[:, 16:-24], atol=1e-5 * np.abs(y).max())


@FEW
@given(st.floats(-3, 3), st.integers(0, 2))
def test_linear(factor, index):
    layer = analyses()[index]
    x, y = noise(2, 1, 60, 1)
    alone = [convert_to_numpy(layer(part)) for part in (x, y)]
    together = convert_to_numpy(layer((x + factor * y).astype("float32")))
    scale = max(1, np.abs(alone).max())
    np.testing.assert_allclose(together, alone[0] + factor * alone[1], atol=1e-5 * scale)


@FEW
@given(st.integers(40, 200), st.sampled_from([2, 4, 8]), st.booleans())
def test_perfect_reconstruction(samples, hop, gammatone):
    filters = ops.multiphase_gammatone(128, 16, 8000) if gammatone else noise(40, 16)
    x = np.random.default_rng(samples).standard_normal((1, samples, 2)).astype("float32")
    features = ops.analysis(x, filters, hop)
    duals = keras.initializers.Constant(ops.dual_filters(filters, hop))
    synthesis = LearnedSynthesis(16, hop, duals)
    again = convert_to_numpy(synthesis(features, x))
    inner = slice(16 - hop, samples - 16 + hop)
    np.testing.assert_allclose(again[:, inner], x[:, inner], atol=2e-4)


def test_sinc_filters_pass_their_band():
    low, high, size = 0.1, 0.2, 401
    even, odd = convert_to_numpy(ops.sinc_filters([low], [high], size))
    response = np.abs(np.fft.rfft([even, odd], 4000)) * 2 * (high - low)
    frequencies = np.arange(2001) / 4000
    inside = (frequencies > low + 0.01) & (frequencies < high - 0.01)
    outside = (frequencies < low - 0.01) | (frequencies > high + 0.01)
    np.testing.assert_allclose(response[:, inside], 1, atol=0.01)
    assert response[:, outside].max() < 0.01
    np.testing.assert_allclose(even, even[::-1], atol=1e-6)
    np.testing.assert_allclose(odd, -odd[::-1], atol=1e-6)


def test_sinc_edges_stay_in_order():
    layer = SincAnalysis(8, 21, sample_rate=8000)
    layer.build((None, None, 1))
    layer.low.assign([-2.0, 0.4999, 0.5, 0.0])
    layer.band.assign([3.0, 0.0, -1.0, 0.0])
    least = 50 / 8000
    expected = ops.sinc_filters(
        [0.5 - least, 0.5 - least, 0.5 - least, least], [0.5, 0.5, 0.5, 2 * least], 21
    )
    received = convert_to_numpy(layer.filters())
    np.testing.assert_allclose(received, convert_to_numpy(expected), atol=1e-4)


def test_gammatone_filters():
    bank = ops.multiphase_gammatone(128, 16, 8000)
    assert bank.shape == (128, 16)
    # By the formula, with three phases of the lowest frequency, 100 Hz, up to a factor.
    t = np.arange(1, 17) / 8000
    bandwidth = (24.7 + 0.108 * 100) / (np.pi / 2)
    for row, phase in zip(bank[:3], np.arange(3) * np.pi / 3, strict=True):
        expected = t * np.exp(-2 * np.pi * bandwidth * t) * np.cos(2 * np.pi * 100 * t + phase)
        expected *= np.linalg.norm(row) / np.linalg.norm(expected)
        np.testing.assert_allclose(row, expected, atol=1e-6 * np.abs(row).max())
    assert sorted(map(tuple, bank)) == sorted(map(tuple, -bank))
    power = np.mean(bank.astype("float64") ** 2, axis=1)
    np.testing.assert_allclose(power, power[0], rtol=1e-5)
    assert len(np.unique(bank, axis=0)) == 128
    assert np.linalg.matrix_rank(bank) == 16


MEL = {"low": 50.0, "high": 3500.0, "scale": "htk"}


@FEW
@given(st.integers(2, 30), st.integers(0, 100))
def test_inverse_mel_scale_brings_sums_of_filters_back(mels, seed):
    filters = ops.mel_filterbank(512, 8000, mels, **MEL)
    magnitude = np.einsum("m,fm->f", np.random.default_rng(seed).random(mels), filters)
    magnitude = magnitude[None, None, :, None].astype("float32")
    bands = MelScale(8000, mels, **MEL)(magnitude)
    again = convert_to_numpy(InverseMelScale(8000, 512, **MEL)(bands))
    np.testing.assert_allclose(again, magnitude, atol=1e-5 * magnitude.max())


def test_inverse_mel_scale_by_the_formula(rng):
    bands = rng.random((2, 3, 20, 2)).astype("float32")
    filters = ops.mel_filterbank(256, 8000, 20).astype("float64")
    least = np.linalg.solve(filters.T @ filters, np.eye(20)) @ filters.T
    expected = np.maximum(np.einsum("btmc,mf->btfc", bands, least), 0)
    received = convert_to_numpy(InverseMelScale(8000, 256)(bands))
    np.testing.assert_allclose(received, expected, atol=1e-4 * expected.max())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LearnedAnalysis(0, 16), "filters=0"),
        (lambda: LearnedAnalysis(8, 16, 17), "hop=17"),
        (lambda: LearnedSynthesis(16, 0), "hop=0"),
        (lambda: SincAnalysis(7, 21), "filters=7"),
        (lambda: SincAnalysis(8, 20), "kernel_size=20"),
        (lambda: SincAnalysis(8, 21, sample_rate=150), "sample_rate=150"),
        (lambda: GammatoneAnalysis(49), "filters=49"),
        (lambda: GammatoneAnalysis(40), "filters=40"),
        (lambda: GammatoneAnalysis(64, sample_rate=7000), "sample_rate=7000.*7415 Hz"),
        (lambda: ops.sinc_filters([0.1], [0.2], 8), "kernel_size=8"),
        (lambda: ops.dual_filters(noise(9, 8), 3), "hop=3"),
        (lambda: ops.dual_filters(noise(7, 8), 4), "rank 7"),
        (lambda: ops.analysis(noise(1, 10), noise(4, 8), 4), r"\(1, 10\)"),
        (lambda: ops.synthesis(noise(1, 2, 5, 1), noise(4, 8), 4), r"\(batch, frames, 4"),
        (lambda: ops.synthesis(noise(1, 2, 4, 1), noise(4, 8), 4, 16), "length=16"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
