"""What losses of embeddings share: points, the source that each belongs to, and its weight."""

import math

import keras
from keras import ops

from kerasep import targets
from kerasep.errors import InputError
from kerasep.losses.spectrogram import alike
from kerasep.ops import magnitude

WEIGHTS = ("none", "magnitude", "magnitude_ratio")


def check_weights(weights):
    """Refuse weights that are not known.

    Args:
        weights: what should be "none", "magnitude" or "magnitude_ratio".

    Raises:
        InputError: with what was received.
    """
    if weights not in WEIGHTS:
        raise InputError(f"received weights={weights!r}, expected one of {', '.join(WEIGHTS)}")


def check_embedding(reference, embedding):
    """Refuse an embedding that does not belong to the reference.

    Args:
        reference: packed, `(batch, frames, bins, channels, 1 + sources, 2)`.
        embedding: tensor that should be `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: with both shapes.
    """
    mixture, _ = targets.unpack_reference(reference)
    if len(embedding.shape) != 5 or not alike(embedding[..., 0], mixture[..., 0]):
        raise InputError(
            f"received an embedding of shape {tuple(embedding.shape)}, expected "
            f"{tuple(mixture.shape[:4])} and its size: give the data and the model the same "
            f"transform"
        )


def bin_weights(reference, weights):
    """How much each bin counts.

    Args:
        reference: packed, `(batch, frames, bins, channels, 1 + sources, 2)`.
        weights: "none": 1. "magnitude": the mixture's. "magnitude_ratio": that over its mean in
            the example, so that loud and soft examples count alike.

    Returns:
        `(batch, frames, bins, channels)`.
    """
    mixture, _ = targets.unpack_reference(reference)
    if weights == "none":
        return ops.ones_like(mixture[..., 0])
    level = magnitude(mixture)
    if weights == "magnitude":
        return level
    mean = ops.mean(level, axis=(1, 2, 3), keepdims=True)
    return level / ops.where(mean > 0, mean, 1.0)


def points(tensor):
    """Make one axis of frames, bins and channels.

    Args:
        tensor: `(batch, frames, bins, channels, size)`.

    Returns:
        `(batch, points, size)`.
    """
    shape = ops.shape(tensor)
    number = -1 if None in shape[1:4] else math.prod(shape[1:4])
    return ops.reshape(tensor, (shape[0], number, tensor.shape[-1]))


def gram(first, second):
    """`A' B` for each example.

    Args:
        first: `(batch, points, m)`.
        second: `(batch, points, n)`.

    Returns:
        `(batch, m, n)`.
    """
    return ops.einsum("bnd,bne->bde", first, second)


class EmbeddingLoss(keras.losses.Loss):
    """Base of losses that say how well embeddings of bins cluster by their dominant source.

    A subclass has `distance(embedding, assignment, weights)`, which takes points
    `(batch, points, embedding)`, one-hot `(batch, points, sources)` and `(batch, points, 1)`, and
    gives `(batch,)`. A point of weight 2 must count as two points.

    Args:
        weights: of the bins, as `bin_weights` has them.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`.
    """

    def __init__(
        self, weights="magnitude_ratio", name=None, reduction="sum_over_batch_size", dtype="float32"
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_weights(weights)
        self.weights = weights

    def call(self, y_true, y_pred):
        """Loss of each example, `(batch,)`."""
        check_embedding(y_true, y_pred)
        y_true = ops.cast(y_true, "float32")
        return self.distance(
            points(ops.cast(y_pred, "float32")),
            points(targets.dominant_source(y_true)),
            points(bin_weights(y_true, self.weights)[..., None]),
        )

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "weights": self.weights,
            "name": self.name,
            "reduction": self.reduction,
            "dtype": self.dtype,
        }
