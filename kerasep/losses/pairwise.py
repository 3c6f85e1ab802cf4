"""Losses of single sources and of all pairs of a source and an estimate."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.spectrogram import have_same_shape
from kerasep.system.types import Tensor


def as_loss(loss: Any) -> keras.losses.Loss:
    """Return a `keras.losses.Loss` from a loss, the name of its class, or its serialised form."""
    try:
        result = keras.losses.get(loss)
    except (TypeError, ValueError) as error:
        raise InputError(f"received the loss {loss!r}, expected a Keras loss") from error
    if not isinstance(result, keras.losses.Loss):
        raise InputError(f"received the loss {loss!r}, expected a keras.losses.Loss")
    return result


def each_example(loss: keras.losses.Loss, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the loss of each example, `(batch,)`."""
    values = loss.call(y_true, y_pred)
    if len(values.shape) == 1:
        return values
    # Keras' own losses keep all axes except the last.
    return ops.mean(values, axis=tuple(range(1, len(values.shape))))


def each_source(loss: keras.losses.Loss, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the loss of each source with the estimate of the same index, `(batch, sources)`."""
    if hasattr(loss, "each_source"):
        return loss.each_source(y_true, y_pred)
    true, estimated = _one_source_each(y_true, y_pred)
    return _values(loss, true, estimated, y_pred.shape[-1])


def pairwise(loss: keras.losses.Loss, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Compute the loss of every source with every estimate, `(batch, sources, estimates)`."""
    if hasattr(loss, "pairwise"):
        return loss.pairwise(y_true, y_pred)
    sources = y_pred.shape[-1]
    true, estimated = _one_source_each(y_true, y_pred)
    shape = ops.shape(estimated)
    estimated = ops.reshape(estimated, (-1, sources, *shape[1:]))
    columns = [
        _values(loss, true, ops.reshape(ops.roll(estimated, -shift, axis=1), shape), sources)
        for shift in range(sources)
    ]
    # Column `shift` of row i is the estimate i + shift.
    shifts = [[(j - i) % sources for j in range(sources)] for i in range(sources)]
    return ops.take_along_axis(ops.stack(columns, axis=-1), ops.array([shifts]), axis=2)


def check_sources(y_true: Tensor, y_pred: Tensor) -> None:
    """Raise `InputError` unless the estimates have the shape of the sources."""
    if len(y_true.shape) == 6 and len(y_pred.shape) == 5:
        fits = y_true.shape[-1] == 2 and have_same_shape(y_true[..., 1:, 0], y_pred)
    else:
        fits = len(y_true.shape) == 4 and have_same_shape(y_true, y_pred)
    if not fits:
        raise InputError(
            f"received y_true {tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}, expected "
            f"(batch, samples, channels, sources) twice, or the packed reference and "
            f"(batch, frames, bins, channels, sources)"
        )


def _one_source_each(y_true, y_pred):
    """Reshape both tensors so that each source is a separate example."""
    check_sources(y_true, y_pred)
    if len(y_true.shape) == 6:
        mixture, sources = ops.moveaxis(y_true[..., :1, :], -2, 1), ops.moveaxis(y_true, -2, 1)
        sources = sources[:, 1:]
        mixture = ops.broadcast_to(mixture, ops.shape(sources))
        y_true = ops.stack([mixture, sources], axis=-2)
    else:
        y_true = ops.moveaxis(y_true, -1, 1)[..., None]
    y_pred = ops.moveaxis(y_pred, -1, 1)[..., None]
    return [ops.reshape(x, (-1, *ops.shape(x)[2:])) for x in (y_true, y_pred)]


def _values(loss, y_true, y_pred, sources):
    """Compute the loss of each row, `(batch, sources)`."""
    return ops.reshape(each_example(loss, y_true, y_pred), (-1, sources))
