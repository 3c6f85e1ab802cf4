"""Checks, weights and products that the losses of embeddings share."""

from keras import ops

from kerasep import targets
from kerasep.errors import InputError
from kerasep.losses.spectrogram import have_same_shape
from kerasep.ops import magnitude
from kerasep.system.types import Tensor

WEIGHTS = ("none", "magnitude", "magnitude_ratio")


def check_weights(weights: str) -> None:
    """Raise `InputError` for unknown weights."""
    if weights not in WEIGHTS:
        raise InputError(f"received weights={weights!r}, expected one of {', '.join(WEIGHTS)}")


def check_embedding(reference: Tensor, embedding: Tensor) -> None:
    """Raise `InputError` unless an embedding matches the shape of the reference."""
    mixture, _ = targets.unpack_reference(reference)
    if len(embedding.shape) != 5 or not have_same_shape(embedding[..., 0], mixture[..., 0]):
        raise InputError(
            f"received an embedding of shape {tuple(embedding.shape)}, expected "
            f"{tuple(mixture.shape[:4])} and the size of the embedding: use the same transform for "
            f"the data and the model"
        )


def bin_weights(reference: Tensor, weights: str) -> Tensor:
    """Return the weights of the bins, `(batch, frames, bins, channels)`."""
    mixture, _ = targets.unpack_reference(reference)
    if weights == "none":
        return ops.ones_like(mixture[..., 0])
    level = magnitude(mixture)
    if weights == "magnitude":
        return level
    mean = ops.mean(level, axis=(1, 2, 3), keepdims=True)
    return level / ops.where(mean > 0, mean, 1.0)


def gram(first: Tensor, second: Tensor) -> Tensor:
    """Compute `A' B` of each example, from `(batch, points, m)` and `(batch, points, n)`."""
    return ops.einsum("bnd,bne->bde", first, second)
