"""Mixture invariant training, which needs mixtures of mixtures but no sources."""

import itertools
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, each_example
from kerasep.losses.spectrogram import have_same_shape
from kerasep.system.types import Tensor

# Largest number of assignments to try, such as 2 mixtures of 12 estimates.
MOST = 4096


@keras.saving.register_keras_serializable("kerasep")
class MixtureInvariant(_Loss):
    """Mixture invariant training (MixIT): `min over A of loss(x, A e)`.

    This loss is for recordings without known sources. The model gets the sum of the mixtures `x`.
    The matrix `A` of zeros and ones assigns each of its estimates `e` to one of the mixtures. All
    assignments are tried without gradients, by inner products if the loss is a ratio. Then the loss
    is computed for the best assignment.

    Args:
        loss: a loss of waveforms, or its serialised form. The paper uses `ThresholdedSNR`.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: mixtures `(batch, samples, channels, mixtures)`, usually two.
        y_pred: estimates `(batch, samples, channels, estimates)`, at least as many as mixtures.
            `mixtures ** estimates` must not exceed 4096.

    Raises:
        InputError: if `loss` is not a loss, the shapes do not match, or there are too many
            estimates.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    e = np.random.randn(2, 100, 1, 4).astype("float32")
    x = np.stack([e[..., 0] + e[..., 2], e[..., 1] + e[..., 3]], axis=-1)
    loss = losses.MixtureInvariant(losses.ThresholdedSNR(limit=30))
    assert loss(x, e) < -29.9
    ```

    Reference:
        Wisdom et al. 2020, "Unsupervised sound separation using mixture invariant training".
    """

    def __init__(
        self, loss: keras.losses.Loss | str | dict, name: str = "mixture_invariant", **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        self.loss = as_loss(loss)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        true, estimated = tuple(y_true.shape), tuple(y_pred.shape)
        fits = len(true) == len(estimated) == 4 and have_same_shape(y_true[..., 0], y_pred[..., 0])
        if not fits or estimated[3] < true[3] or true[3] ** estimated[3] > MOST:
            raise InputError(
                f"received mixtures {true} and estimates {estimated}, expected (batch, samples, "
                f"channels, mixtures) and at least as many estimates, with at most {MOST} ways to "
                f"assign them"
            )
        members, ways = _ways(true[3], estimated[3])
        costs = self._costs(ops.stop_gradient(y_true), ops.stop_gradient(y_pred), members)
        total = sum(ops.take(costs[:, i], ways[:, i], axis=1) for i in range(true[3]))
        best = ops.take(members[ways], ops.argmin(total, axis=-1), axis=0)
        mixed = ops.sum(y_pred[..., None, :] * best[:, None, None], axis=-1)
        return each_example(self.loss, y_true, mixed)

    def _costs(self, mixtures, estimates, members):
        """Compute the loss of mixtures with sums of estimates, `(batch, mixtures, sums)`."""
        if hasattr(self.loss, "with_sums"):
            return self.loss.with_sums(mixtures, estimates, members)

        def of_sum(members):
            mixed = ops.sum(estimates * members, axis=-1, keepdims=True)
            rows = [mixtures[..., i : i + 1] for i in range(mixtures.shape[-1])]
            return ops.stack([each_example(self.loss, row, mixed) for row in rows], axis=1)

        return ops.moveaxis(ops.map(of_sum, ops.convert_to_tensor(members)), 0, -1)


def _ways(mixtures, estimates):
    """Return all sums of estimates `(sums, estimates)`, and the sums of each assignment."""
    members = np.array([*itertools.product((0, 1), repeat=estimates)], "float32")
    assignments = np.array([*itertools.product(range(mixtures), repeat=estimates)])
    binary = 2 ** np.arange(estimates)[::-1]
    ways = [(assignments == mixture) @ binary for mixture in range(mixtures)]
    return members, np.stack(ways, axis=1).astype("int32")
