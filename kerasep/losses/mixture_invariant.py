"""Mixture invariant training: no sources, only mixtures of mixtures."""

import itertools
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, each_example
from kerasep.losses.spectrogram import alike
from kerasep.system.types import Tensor

# What is tried at most: 2 mixtures of 12 estimates.
MOST = 4096


@keras.saving.register_keras_serializable("kerasep")
class MixtureInvariant(_Loss):
    """Mixture invariant training (MixIT): `min over A of loss(x, A e)`.

    For recordings without known sources: the model gets the sum of the mixtures `x`, and each of
    its estimates `e` goes to one of them; `A`, of zeros and ones, says to which. All assignments
    are tried, without gradients (from inner products, where the loss is a ratio); then the loss is
    computed for the best.

    Args:
        loss: of waveforms, or its serialised form; `ThresholdedSNR` is the paper's.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: mixtures `(batch, samples, channels, mixtures)`, two as a rule.
        y_pred: estimates `(batch, samples, channels, estimates)`, as many as mixtures or more;
            `mixtures ** estimates` is at most 4096.

    Raises:
        InputError: for something that is no loss, other shapes, or more estimates.

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
        """Loss of each example, `(batch,)`."""
        true, estimated = tuple(y_true.shape), tuple(y_pred.shape)
        fits = len(true) == len(estimated) == 4 and alike(y_true[..., 0], y_pred[..., 0])
        if not fits or estimated[3] < true[3] or true[3] ** estimated[3] > MOST:
            raise InputError(
                f"received mixtures {true} and estimates {estimated}, expected (batch, samples, "
                f"channels, mixtures) and as many estimates or more, with at most {MOST} ways to "
                f"share them"
            )
        members, ways = _ways(true[3], estimated[3])
        costs = self._costs(ops.stop_gradient(y_true), ops.stop_gradient(y_pred), members)
        total = sum(ops.take(costs[:, i], ways[:, i], axis=1) for i in range(true[3]))
        best = ops.take(members[ways], ops.argmin(total, axis=-1), axis=0)
        mixed = ops.sum(y_pred[..., None, :] * best[:, None, None], axis=-1)
        return each_example(self.loss, y_true, mixed)

    def _costs(self, mixtures, estimates, members):
        """Loss of every mixture with every sum of estimates, `(batch, mixtures, sums)`."""
        if hasattr(self.loss, "with_sums"):
            return self.loss.with_sums(mixtures, estimates, members)

        def of_sum(members):
            mixed = ops.sum(estimates * members, axis=-1, keepdims=True)
            rows = [mixtures[..., i : i + 1] for i in range(mixtures.shape[-1])]
            return ops.stack([each_example(self.loss, row, mixed) for row in rows], axis=1)

        return ops.moveaxis(ops.map(of_sum, ops.convert_to_tensor(members)), 0, -1)


def _ways(mixtures, estimates):
    """All sums of estimates, `(sums, estimates)`, and which of them each way to share makes."""
    members = np.array([*itertools.product((0, 1), repeat=estimates)], "float32")
    given = np.array([*itertools.product(range(mixtures), repeat=estimates)])
    binary = 2 ** np.arange(estimates)[::-1]
    ways = [(given == mixture) @ binary for mixture in range(mixtures)]
    return members, np.stack(ways, axis=1).astype("int32")
