"""Our losses, and their gradients, against Asteroid's, nussl's and PyTorch's transforms."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, targets

pytestmark = [
    pytest.mark.parity,
    # Asteroid's Hungarian algorithm makes a tensor of a list of arrays.
    pytest.mark.filterwarnings("ignore:Creating a tensor from a list:UserWarning"),
]

RATIOS = {"sisdr": losses.SISDR, "snr": losses.SNR, "sdsdr": losses.SDSDR}


def waveforms(sources, samples=4000, noise=0.7, channels=1):
    rng = np.random.default_rng(sources)
    true = rng.standard_normal((4, samples, channels, sources)).astype("float32")
    order = rng.permuted(np.tile(np.arange(sources), (4, 1)), axis=1)
    estimated = np.take_along_axis(true, order[:, None, None], axis=-1)
    noise = noise * rng.standard_normal(true.shape)
    return true, (estimated + noise).astype("float32")


def sources_first(torch, waveforms):
    """`(batch, sources, samples)`, as Asteroid has them."""
    return torch.tensor(waveforms[:, :, 0].transpose(0, 2, 1).copy(), requires_grad=True)


def compare(gradients, loss, pair, theirs, gradient, tolerance=1e-3):
    """Values, and gradients relative to the largest; both in our layout."""
    value, (_, received) = gradients(loss, *pair)
    assert abs(value - theirs) < tolerance
    assert np.abs(received - gradient).max() < 1e-3 * np.abs(gradient).max()


def against_asteroid(torch, gradients, loss, theirs, pair):
    true, estimated = (sources_first(torch, signals) for signals in pair)
    value = theirs(estimated, true).mean()
    value.backward()
    gradient = estimated.grad.numpy().transpose(0, 2, 1)[:, :, None]
    compare(gradients, loss, pair, value.item(), gradient)


@pytest.mark.parametrize("sources", [2, 3, 5])
@pytest.mark.parametrize(
    ("cls", "kind", "zero_mean"),
    [*((cls, kind, False) for kind, cls in RATIOS.items()), (losses.SISNR, "sisdr", True)],
)
def test_pit_of_ratios(asteroid_losses, torch, gradients, cls, kind, zero_mean, sources):
    theirs = asteroid_losses.PITLossWrapper(asteroid_losses.PairwiseNegSDR(kind, zero_mean))
    loss = losses.PermutationInvariant(cls())
    against_asteroid(torch, gradients, loss, theirs, waveforms(sources))


@pytest.mark.parametrize("kind", RATIOS)
def test_ratios(asteroid_losses, torch, gradients, kind):
    theirs = getattr(asteroid_losses, f"multisrc_neg_{kind}")
    theirs.zero_mean = False
    true, estimated = waveforms(3)
    against_asteroid(torch, gradients, RATIOS[kind](), theirs, (true, 0.5 * true + estimated))
    theirs.zero_mean = True


def test_ratio_of_nussl(nussl_losses, torch, gradients):
    true, noise = waveforms(2)
    pair = true, true + 0.3 * noise  # next to nothing in common, and their epsilon shows
    true, estimated = (torch.tensor(signals[:, :, 0], requires_grad=True) for signals in pair)
    value = nussl_losses.SISDRLoss()(estimated, true)
    value.backward()
    compare(gradients, losses.SISNR(), pair, value.item(), estimated.grad.numpy()[:, :, None])


@pytest.mark.parametrize("sources", [2, 5])
def test_sink_pit(asteroid_losses, torch, gradients, sources):
    theirs = asteroid_losses.SinkPITLossWrapper(asteroid_losses.PairwiseNegSDR("snr", False))
    loss = losses.SinkPIT(losses.SNR())
    against_asteroid(torch, gradients, loss, theirs, waveforms(sources))


def test_squared_error(asteroid_losses, torch, gradients):
    theirs = asteroid_losses.PITLossWrapper(asteroid_losses.pairwise_mse)
    loss = losses.PermutationInvariant(losses.Waveform(p=2))
    against_asteroid(torch, gradients, loss, theirs, waveforms(3))


@pytest.mark.parametrize("estimates", [2, 4])
def test_mixit(asteroid_losses, torch, gradients, estimates):
    _, found = waveforms(estimates)
    rng = np.random.default_rng(0)
    share = np.eye(2)[rng.integers(0, 2, estimates)]
    true = (found @ share + 0.5 * rng.standard_normal((*found.shape[:3], 2))).astype("float32")
    inner = asteroid_losses.multisrc_neg_snr
    inner.zero_mean = False
    theirs = asteroid_losses.MixITLossWrapper(inner)
    against_asteroid(torch, gradients, losses.MixtureInvariant(losses.SNR()), theirs, (true, found))
    inner.zero_mean = True


def embeddings(size=20, sources=2):
    rng = np.random.default_rng(size)
    reference = rng.standard_normal((3, 40, 33, 1, 1 + sources, 2))
    reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
    embedding = rng.standard_normal((3, 40, 33, 1, size))
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    return reference.astype("float32"), embedding.astype("float32")


def test_deep_clustering_of_asteroid(asteroid_losses, torch, gradients):
    reference, embedding = embeddings()
    points = 40 * 33
    dominant = convert_to_numpy(targets.dominant_source(reference)).argmax(axis=-1)[..., 0]
    v = torch.tensor(embedding.reshape(3, points, 20), requires_grad=True)
    value = asteroid_losses.deep_clustering_loss(v, torch.tensor(dominant)).mean() / points
    value.backward()
    gradient = v.grad.numpy().reshape(embedding.shape)
    pair = reference, embedding
    compare(gradients, losses.DeepClustering("none"), pair, value.item(), gradient, 1e-5)


def nussl_batch(torch, reference, embedding, ratio):
    """Embedding, ideal binary masks and weights, as nussl's losses take them."""
    level = np.linalg.norm(reference[..., 0, :], axis=-1)
    weights = np.sqrt(level / level.mean(axis=(1, 2, 3), keepdims=True)) if ratio else level**0
    dominant = convert_to_numpy(targets.dominant_source(reference))[..., :-1]
    v = torch.tensor(embedding, requires_grad=True)
    return v, torch.tensor(dominant), torch.tensor(weights)


def tangent(gradient, embedding):
    """What is left of a gradient when the embedding keeps its norm, as nussl makes it."""
    return gradient - (gradient * embedding).sum(axis=-1, keepdims=True) * embedding


@pytest.mark.parametrize("weights", ["none", "magnitude_ratio"])
def test_deep_clustering_of_nussl(nussl_losses, torch, gradients, weights):
    reference, embedding = embeddings()
    batch = nussl_batch(torch, reference, embedding, weights == "magnitude_ratio")
    theirs = nussl_losses.DeepClusteringLoss()(*batch)
    theirs.backward()
    value, (_, received) = gradients(losses.DeepClustering(weights), reference, embedding)
    assert abs(value - theirs.item()) < 1e-5
    expected = batch[0].grad.numpy()
    difference = tangent(received, embedding) - expected
    assert np.abs(difference).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("weights", ["none", "magnitude_ratio"])
def test_whitened_kmeans_of_nussl(nussl_losses, torch, weights):
    """Theirs is size plus sources less twice the trace, ours size less the trace."""
    reference, embedding = embeddings()
    batch = nussl_batch(torch, reference, embedding, weights == "magnitude_ratio")
    theirs = nussl_losses.WhitenedKMeansLoss()(*batch).item()
    ours = float(losses.WhitenedKMeans(weights)(reference, embedding))
    # They add the identity to the covariance of the sum, we a hundred-thousandth of its trace.
    assert abs(ours - (theirs + 20 - 2) / 2) < 5e-3


def test_multi_resolution_stft(torch, gradients):
    true, estimated = waveforms(1)
    x = torch.tensor(estimated[:, :, 0, 0], requires_grad=True)
    s = torch.tensor(true[:, :, 0, 0])
    loss = losses.MultiResolutionSTFT()
    total = 0
    for n_fft, hop, length in loss.resolutions:
        options = {"window": torch.hann_window(length), "pad_mode": "constant"}
        spectra = [
            torch.stft(signal, n_fft, hop, length, return_complex=True, **options).abs()
            for signal in (s, x)
        ]
        size = torch.linalg.matrix_norm
        logs = torch.log(spectra[0].clamp(1e-7)) - torch.log(spectra[1].clamp(1e-7))
        total += size(spectra[0] - spectra[1]) / size(spectra[0]) + logs.abs().mean(dim=(1, 2))
    value = total.mean() / len(loss.resolutions)
    value.backward()
    gradient = x.grad.numpy()[:, :, None, None]
    compare(gradients, loss, (true, estimated), value.item(), gradient)
