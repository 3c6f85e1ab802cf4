"""PIT against every permutation in float64; gradients; many sources; other losses inside."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy
from scipy.optimize import linear_sum_assignment

from kerasep import losses
from kerasep.errors import InputError
from kerasep.losses import pairwise


def waveforms(rng, sources, batch=3, channels=2, noise=1.0):
    """Sources, and estimates of them in another order for each example."""
    true = rng.standard_normal((batch, 120, channels, sources))
    order = rng.permuted(np.tile(np.arange(sources), (batch, 1)), axis=1)
    estimated = np.take_along_axis(true, order[:, None, None], axis=-1)
    estimated = estimated + noise * rng.standard_normal(true.shape)
    return true.astype("float32"), estimated.astype("float32")


def si_sdr_losses(true, estimated):
    """Every source with every estimate, in float64."""
    true, estimated = true.astype("float64")[..., None], estimated.astype("float64")[..., None, :]
    scale = (true * estimated).sum(axis=1) / (true**2).sum(axis=1)
    target = scale[:, None] * true
    noise = ((target - estimated) ** 2).sum(axis=1)
    return -10 * np.log10((target**2).sum(axis=1) / noise).mean(axis=1)


def least(costs):
    sources = costs.shape[1]
    every = itertools.permutations(range(sources))
    return np.min([costs[:, range(sources), order].mean(axis=1) for order in every], axis=0)


@pytest.mark.parametrize("sources", [1, 2, 3, 4, 6])
def test_every_permutation(rng, compiled, sources):
    true, estimated = waveforms(rng, sources)
    loss = losses.PermutationInvariant(losses.SISDR(), reduction=None)
    expected = least(si_sdr_losses(true, estimated))
    received = convert_to_numpy(compiled(loss)(true, estimated))
    np.testing.assert_allclose(received, expected, atol=1e-4)


def test_many_sources(rng, compiled):
    true, estimated = waveforms(rng, 8, noise=3.0)
    costs = si_sdr_losses(true, estimated)
    expected = [matrix[linear_sum_assignment(matrix)].mean() for matrix in costs]
    loss = losses.PermutationInvariant(losses.SISDR(), reduction=None)
    received = convert_to_numpy(compiled(loss)(true, estimated))
    np.testing.assert_allclose(received, expected, atol=1e-4)
    with pytest.raises(InputError, match=r"13 sources.*SinkPIT"):
        loss(*waveforms(rng, 13))


@pytest.mark.parametrize(
    "cls", [losses.SISDR, losses.SISNR, losses.SNR, losses.SDSDR, losses.ThresholdedSNR]
)
def test_ratios_by_inner_products(rng, cls):
    """The pairwise losses of ratios equal those of single pairs."""
    true, estimated = waveforms(rng, 3)
    fast = convert_to_numpy(cls().pairwise(true, estimated))
    for i, j in np.ndindex(3, 3):
        pair = true[..., i : i + 1], estimated[..., j : j + 1]
        expected = convert_to_numpy(cls(reduction=None)(*pair))
        np.testing.assert_allclose(fast[:, i, j], expected, atol=1e-3)


def packed(rng, sources, batch=2):
    reference = rng.standard_normal((batch, 6, 5, 2, 1 + sources, 2)).astype("float32")
    return reference, rng.random((batch, 6, 5, 2, sources)).astype("float32")


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("cls", [losses.MagnitudeSpectrum, losses.TruncatedPhaseSensitive])
def test_spectrograms(rng, cls, p):
    reference, estimate = packed(rng, 3)
    target = convert_to_numpy(cls().target(reference)).astype("float64")
    distance = np.abs(target[..., None] - estimate[..., None, :]) ** p
    loss = losses.PermutationInvariant(cls(p), reduction=None)
    received = convert_to_numpy(loss(reference, estimate))
    np.testing.assert_allclose(received, least(distance.mean(axis=(1, 2, 3))), rtol=1e-5)


def test_a_loss_of_keras(rng):
    true, estimated = waveforms(rng, 3)
    squares = (true[..., None].astype("float64") - estimated[..., None, :]) ** 2
    loss = losses.PermutationInvariant(keras.losses.MeanSquaredError(), reduction=None)
    received = convert_to_numpy(loss(true, estimated))
    np.testing.assert_allclose(received, least(squares.mean(axis=(1, 2))), rtol=1e-5)


@pytest.mark.parametrize("inner", [losses.SISDR(), losses.Waveform(p=2), losses.LogL1()])
def test_pairs_of_any_loss(rng, inner):
    true, estimated = waveforms(rng, 3)
    received = convert_to_numpy(pairwise.pairwise(inner, true, estimated))
    for i, j in np.ndindex(3, 3):
        pair = true[..., i : i + 1], estimated[..., j : j + 1]
        np.testing.assert_allclose(
            received[:, i, j], convert_to_numpy(inner.call(*pair)), rtol=1e-3
        )


@pytest.mark.parametrize("sources", [3, 6])
def test_gradient_is_that_of_the_matched_pairs(rng, gradients, sources):
    true, estimated = waveforms(rng, sources, batch=1)
    costs = si_sdr_losses(true, estimated)[0]
    order = linear_sum_assignment(costs)[1]
    _, (_, expected) = gradients(losses.SISDR(), true, estimated[..., order])
    loss = losses.PermutationInvariant(losses.SISDR())
    _, (_, received) = gradients(loss, true, estimated)
    np.testing.assert_allclose(received[..., order], expected, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(4)), scale=st.floats(0.05, 20), seed=st.integers(0, 1000))
def test_blind_to_order_and_scale(order, scale, seed):
    true, estimated = waveforms(np.random.default_rng(seed), 4)
    for cls in (losses.PermutationInvariant, losses.SinkPIT):
        loss = cls(losses.SISDR())
        expected = convert_to_numpy(loss(true, estimated))
        other = loss(true, (scale * estimated[..., order]).astype("float32"))
        np.testing.assert_allclose(convert_to_numpy(other), expected, atol=5e-3)


@pytest.mark.parametrize("sources", [3, 6])
def test_trains_in_a_graph(rng, sources):
    inputs = keras.Input((None, 1, sources))
    model = keras.Model(inputs, keras.layers.Dense(sources, use_bias=False)(inputs))
    model.compile(keras.optimizers.Adam(0.1), losses.PermutationInvariant(losses.SISDR()))
    x = rng.standard_normal((8, 200, 1, sources)).astype("float32")
    history = model.fit(x, x[..., ::-1], epochs=4, batch_size=4, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_sum_within_pit(rng):
    """One permutation for the sum, not one for each part."""
    true, estimated = waveforms(rng, 3)
    parts = [losses.SISDR(), losses.Waveform(p=2)]
    loss = losses.PermutationInvariant(losses.WeightedSum(parts, [0.1, 5.0]), reduction=None)
    squares = (true[..., None].astype("float64") - estimated[..., None, :]) ** 2
    costs = 0.1 * si_sdr_losses(true, estimated) + 5 * squares.mean(axis=(1, 2))
    received = convert_to_numpy(loss(true, estimated))
    np.testing.assert_allclose(received, least(costs), atol=1e-4)


def test_weights_of_sources_within_pit(rng):
    true, estimated = waveforms(rng, 3)
    inner = losses.SourceWeighted(losses.SISDR(), [1.0, 0.1, 3.0])
    costs = si_sdr_losses(true, estimated) * np.array([1.0, 0.1, 3.0])[:, None]
    received = convert_to_numpy(losses.PermutationInvariant(inner, reduction=None)(true, estimated))
    np.testing.assert_allclose(received, least(costs), atol=1e-4)


def test_sinkhorn_comes_close(rng):
    true, estimated = waveforms(rng, 6)
    expected = least(si_sdr_losses(true, estimated))
    loss = losses.SinkPIT(losses.SISDR(), iterations=200, reduction=None)
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimated)), expected, atol=0.1)


def test_what_is_no_loss():
    for wrong in ("no such loss", 3, keras.losses.mean_squared_error):
        with pytest.raises(InputError, match=r"received the loss.*expected"):
            losses.PermutationInvariant(wrong)
    with pytest.raises(InputError, match=r"sharpness=0"):
        losses.SinkPIT(losses.SISDR(), sharpness=0)
