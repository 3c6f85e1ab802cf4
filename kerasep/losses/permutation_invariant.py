"""Permutation invariant training, for sources in any order."""

from typing import Any

import keras
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, check_sources, each_example, pairwise
from kerasep.ops import best_permutation
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class PermutationInvariant(_Loss):
    """Permutation invariant training (PIT): `min over permutations P of loss(s, P e)`.

    This loss is for sources without a natural order, such as voices. The loss of every source with
    every estimate is computed without gradients, and the best permutation is found exactly by
    `kerasep.ops.best_permutation`. Then the loss is computed once, with gradients through the
    matched pairs only. It works with every loss of waveforms or source magnitudes that is a mean
    over sources.

    Args:
        loss: the loss of matched sources, or its serialised form.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: what the loss takes, source waveforms or the packed reference.
        y_pred: what the loss takes, with at most 12 sources on the last axis.

    Raises:
        InputError: if `loss` is not a loss, the shapes do not match, or there are more sources.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 100, 1, 3).astype("float32")
    loss = losses.PermutationInvariant(losses.SISDR())
    assert loss(s, s[..., [2, 0, 1]]) < -60
    ```

    Reference:
        Yu et al. 2017, "Permutation invariant training of deep models for speaker-independent
        multi-talker speech separation"; Kolbaek et al. 2017 for whole utterances, as here.
    """

    def __init__(
        self,
        loss: keras.losses.Loss | str | dict,
        name: str = "permutation_invariant",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.loss = as_loss(loss)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_sources(y_true, y_pred)
        costs = pairwise(self.loss, ops.stop_gradient(y_true), ops.stop_gradient(y_pred))
        return each_example(self.loss, y_true, _reordered(y_pred, best_permutation(costs)))


def _reordered(estimates, order):
    """Reorder the last axis of each example."""
    sources = estimates.shape[-1]
    if sources == 1:
        return estimates
    first = ops.moveaxis(estimates, -1, 1)
    shape = ops.shape(first)
    rows = ops.reshape(first, (-1, *shape[2:]))
    index = order + sources * ops.arange(ops.shape(order)[0], dtype="int32")[:, None]
    chosen = ops.take(rows, ops.reshape(index, (-1,)), axis=0)
    return ops.moveaxis(ops.reshape(chosen, shape), 1, -1)
