"""Weighted sums of losses, and weighted means over sources."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, each_example, each_source, pairwise
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class WeightedSum(_Loss):
    """Weighted sum of losses of the same tensors: `sum_i w_i loss_i`.

    Inside `PermutationInvariant`, the permutation is the best one for the sum. To sum the losses of
    several heads of a model, use `compile(loss={...}, loss_weights={...})` instead.

    Args:
        losses: the losses, or their serialised forms.
        weights: one number per loss. Default: 1 for each loss.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: what the losses take.
        y_pred: what the losses take.

    Raises:
        InputError: if an item of `losses` is not a loss, or the number of weights differs from that
            of losses.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 4000, 1, 2).astype("float32")
    loss = losses.WeightedSum([losses.SISDR(), losses.Waveform(p=1)], weights=[1.0, 10.0])
    assert loss(s, s) < loss(s, s[:, ::-1])
    ```
    """

    def __init__(
        self,
        losses: Sequence[keras.losses.Loss | str | dict],
        weights: Sequence[float] | None = None,
        name: str = "weighted_sum",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.losses = [as_loss(loss) for loss in losses]
        self.weights = [1.0] * len(self.losses) if weights is None else [*weights]
        if not self.losses or len(self.losses) != len(self.weights):
            raise InputError(
                f"received {len(self.losses)} losses and {len(self.weights)} weights, expected at "
                f"least one loss and one weight per loss"
            )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        return self._sum(each_example, y_true, y_pred)

    def each_source(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each source, `(batch, sources)`."""
        return self._sum(each_source, y_true, y_pred)

    def pairwise(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of every source with every estimate, `(batch, sources, estimates)`."""
        return self._sum(pairwise, y_true, y_pred)

    def _sum(self, function, y_true, y_pred):
        pairs = zip(self.weights, self.losses, strict=True)
        return sum(weight * function(loss, y_true, y_pred) for weight, loss in pairs)


@keras.saving.register_keras_serializable("kerasep")
class SourceWeighted(_Loss):
    """Mean over sources of each source's loss times its weight: `mean_i w_i loss(s_i, e_i)`.

    Inside `PermutationInvariant`, the weights belong to the true sources.

    Args:
        loss: a loss that is a mean over sources, or its serialised form.
        weights: one number per source, in the order of the sources.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: what the loss takes, source waveforms or the packed reference.
        y_pred: what the loss takes, with sources on the last axis.

    Raises:
        InputError: if `loss` is not a loss, the shapes do not match, or the number of weights
            differs from that of sources.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.ones((2, 100, 1, 2), "float32")
    loss = losses.SourceWeighted(losses.Waveform(p=2), weights=[1.0, 0.0])
    assert loss(s, s * np.array([1.0, 7.0], "float32")) == 0
    ```
    """

    def __init__(
        self,
        loss: keras.losses.Loss | str | dict,
        weights: Sequence[float],
        name: str = "source_weighted",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.loss = as_loss(loss)
        self.weights = [*weights]

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        return ops.mean(self.each_source(y_true, y_pred), axis=1)

    def each_source(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the weighted loss of each source, `(batch, sources)`."""
        return self._checked(y_pred) * each_source(self.loss, y_true, y_pred)

    def pairwise(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the weighted loss of all pairs, `(batch, sources, estimates)`."""
        return self._checked(y_pred)[:, None] * pairwise(self.loss, y_true, y_pred)

    def _checked(self, y_pred):
        if y_pred.shape[-1] != len(self.weights):
            raise InputError(
                f"received {y_pred.shape[-1]} sources, expected {len(self.weights)}: one per weight"
            )
        return ops.convert_to_tensor(self.weights, "float32")
