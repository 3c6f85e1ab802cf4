"""MixIT against all assignments of the estimates, in float64."""

import itertools

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses
from kerasep.errors import InputError


def example(rng, mixtures, estimates):
    found = rng.standard_normal((3, 80, 2, estimates))
    owner = rng.integers(0, mixtures, estimates)
    true = found @ np.eye(mixtures)[owner] + 0.3 * rng.standard_normal((3, 80, 2, mixtures))
    return true.astype("float32"), found.astype("float32")


def snr_loss(true, estimated, limit):
    noise = ((true - estimated) ** 2).sum(axis=1)
    energy = (true**2).sum(axis=1)
    return 10 * np.log10(noise / energy + 10 ** (-limit / 10)).mean(axis=(1, 2))


@pytest.mark.parametrize(("mixtures", "estimates"), [(1, 3), (2, 2), (2, 4), (3, 4)])
def test_every_way_to_share(rng, mixtures, estimates):
    true, found = example(rng, mixtures, estimates)
    true, found = true.astype("float64"), found.astype("float64")
    ways = itertools.product(range(mixtures), repeat=estimates)
    each = [snr_loss(true, found @ np.eye(mixtures)[[*way]], 30) for way in ways]
    loss = losses.MixtureInvariant(losses.ThresholdedSNR(30), reduction=None)
    received = convert_to_numpy(loss(true, found))
    np.testing.assert_allclose(received, np.min(each, axis=0), atol=1e-4)


def test_any_loss(rng):
    true, found = example(rng, 2, 4)
    ways = itertools.product(range(2), repeat=4)
    distances = [np.abs(true - found @ np.eye(2)[[*way]]).mean(axis=(1, 2, 3)) for way in ways]
    loss = losses.MixtureInvariant(losses.Waveform(p=1), reduction=None)
    received = convert_to_numpy(loss(true, found))
    np.testing.assert_allclose(received, np.min(distances, axis=0), rtol=1e-5)


@pytest.mark.parametrize("cls", [losses.SISDR, losses.SISNR, losses.SNR, losses.SDSDR])
def test_sums_by_inner_products(rng, cls):
    true, found = example(rng, 2, 3)
    members = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 0]], "float32")
    received = convert_to_numpy(cls().with_sums(true, found, members))
    for i, j in np.ndindex(2, 3):
        pair = true[..., i : i + 1], (found @ members[j])[..., None]
        expected = convert_to_numpy(cls(reduction=None)(*pair))
        np.testing.assert_allclose(received[:, i, j], expected, atol=1e-3)


def test_order_of_estimates_does_not_matter(rng):
    true, found = example(rng, 2, 4)
    loss = losses.MixtureInvariant(losses.ThresholdedSNR())
    expected = convert_to_numpy(loss(true, found))
    received = convert_to_numpy(loss(true, found[..., [2, 0, 3, 1]]))
    np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_gradient_is_that_of_the_best_sums(rng, gradients):
    true, found = example(rng, 2, 3)
    true[..., 0], true[..., 1] = found[..., 0] + found[..., 2], found[..., 1]
    true += 0.1 * rng.standard_normal(true.shape).astype("float32")
    sums = np.stack([found[..., 0] + found[..., 2], found[..., 1]], axis=-1)
    _, (_, of_sums) = gradients(losses.SNR(), true, sums)
    _, (_, received) = gradients(losses.MixtureInvariant(losses.SNR()), true, found)
    np.testing.assert_allclose(received, of_sums[..., [0, 1, 0]], atol=1e-5)


def test_what_cannot_be_shared(rng):
    loss = losses.MixtureInvariant(losses.SNR())
    for mixtures, estimates in [(2, 1), (2, 13), (9, 9)]:
        with pytest.raises(InputError, match=r"received mixtures.*4096"):
            loss(np.zeros((1, 10, 1, mixtures)), np.zeros((1, 10, 1, estimates)))
