"""Losses and their gradients are finite in float16 at all combinations of levels."""

import functools
import pathlib
import sys

import keras
import numpy as np
import pytest

from kerasep import losses

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from test_every_loss import (
    ARGUMENTS,
    check_finite,
    judges_embeddings,
    perfect,
    takes_reference,
    tensors,
)

# Settings that lead to numbers of another magnitude than the defaults.
RESOLUTION = [[64, 16, 48]]
SETTINGS = {
    "BandLimited": [{"loss": losses.PhaseSensitive(), "above": 0.0}],
    "Combinations": [{"loss": losses.MultiResolutionSTFT(RESOLUTION)}],
    "DeepAttractor": [{"p": 2, "activation": "sigmoid", "weights": "none"}],
    "DeepClustering": [{"weights": "magnitude"}, {"weights": "none"}],
    "GraphLaplacian": [{"weights": "magnitude"}, {"weights": "none"}],
    "LinearDiscriminant": [{"weights": "magnitude"}, {"weights": "none"}],
    "MagnitudeSpectrum": [{"p": 1.5}, {"p": 2}],
    "MixtureInvariant": [{"loss": losses.LogL1()}, {"loss": losses.SISDR()}],
    "CompressedSpectrum": [{"n_fft": 64, "hop": 16}],
    "MultiResolutionSTFT": [{"resolutions": [[64, 16, 64], [16, 12, 8]]}],
    "MultiResolutionSpectrum": [{"resolutions": [[64, 16, 64], [16, 12, 8]]}],
    "PermutationInvariant": [
        {"loss": losses.MultiResolutionSTFT(RESOLUTION)},
        {"loss": losses.LogL1()},
    ],
    "PhaseSensitive": [{"p": 2}],
    "SinkPIT": [{"loss": losses.SNR()}, {"loss": losses.LogL1()}],
    "SpectrumRMSE": [{"n_fft": 64, "hop": 16}],
    "ThresholdedSNR": [{"limit": 100.0}],
    "TruncatedPhaseSensitive": [{"p": 2, "limit": 3.0}],
    "Waveform": [{"p": 1.5}, {"p": 2}],
    "WaveformApproximation": [{"loss": losses.LogL1(), "overlap": 2}, {"loss": losses.SISDR()}],
    "WhitenedKMeans": [{"weights": "magnitude"}, {"weights": "none"}],
}


def loud(tensor):
    """Scale a tensor to a peak of 10000, within the range of float16."""
    return 1e4 * tensor / max(np.abs(tensor).max(), 1e-30)


def hard_pairs(loss, reference, estimate):
    """Yield name, reference and estimate of all combinations of levels."""
    loss_class = type(loss)
    levels = {"silent": 0.0, "at 1e-6": 1e-6, "at 1e-3": 1e-3, "as it is": 1.0, "loud": None}
    others = levels
    if judges_embeddings(loss_class):  # which have a length of one, or none
        others = {name: levels[name] for name in ("silent", "as it is")}
        if loss.weights == "magnitude" or getattr(loss, "p", 1) == 2:
            # They grow with the square of the level, by definition, and so do their slopes.
            levels = {name: level for name, level in levels.items() if name != "loud"}

    def at(level, tensor):
        return loud(tensor) if level is None else level * tensor

    for one, level in levels.items():
        for other, other_level in others.items():
            name = f"reference {one}, estimate {other}"
            yield name, at(level, reference), at(other_level, estimate)
        same = at(level, reference)
        yield f"perfect, reference {one}", same, perfect(loss_class, same)
    muted = reference.copy()
    if takes_reference(loss_class):
        muted[..., 1, :] = 0
    else:
        muted[..., 0] = 0
    yield "one source silent", muted, estimate
    muted = estimate.copy()
    muted[..., 0] = 0
    yield "one estimate silent", reference, muted


@functools.cache
def of_half(loss):
    """Return the loss of a float16 estimate, which has float16 gradients."""
    return lambda y_true, y_pred: loss(y_true, keras.ops.cast(y_pred, "float16"))


@pytest.mark.parametrize("frames", [6, 1])
def test_finite_in_float16(loss_class, rng, policy, gradients, frames):
    if loss_class in (losses.WaveformApproximation, losses.CompressedSpectrum):
        frames = max(frames, 2)  # the latter's mean over two samples is too steep at a level of 1e4
    policy("mixed_float16")
    reference, estimate = tensors(loss_class, rng, batch=1, frames=frames)
    if not takes_reference(loss_class) and frames == 1:
        # Up to scale, single samples are always perfect, and their gradients are rounding errors.
        reference, estimate = reference[:, :2], estimate[:, :2]
    for setting in [{}, *SETTINGS.get(loss_class.__name__, [])]:
        settings = {**ARGUMENTS.get(loss_class.__name__, {}), **setting}
        loss = loss_class(**settings, reduction="sum")
        names, *pairs = zip(*hard_pairs(loss, reference, estimate), strict=True)
        check_finite(gradients, of_half(loss), *map(np.concatenate, pairs), names=names)
