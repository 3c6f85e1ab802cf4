"""Permutation invariant training with soft permutations, for many sources."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, check_sources, pairwise
from kerasep.ops import sinkhorn
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SinkPIT(_Loss):
    """PIT by Sinkhorn's iterations: `sum_ij P_ij (C_ij + log P_ij / sharpness) / sources`.

    `C` is the loss of every source with every estimate, and `P` is the soft permutation that
    minimises the sum. Gradients flow to all pairs that still compete. The number of sources is not
    limited. With a higher sharpness, the loss comes closer to `PermutationInvariant`, from below.

    Args:
        loss: the loss of matched sources, or its serialised form.
        sharpness: `beta` in the paper, per unit of the loss. Defaults to 10, which suits dB.
        iterations: number of times that rows and columns are normalised. Defaults to 100.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: what the loss takes, source waveforms or the packed reference.
        y_pred: what the loss takes, with sources on the last axis.

    Raises:
        InputError: if `loss` is not a loss, the shapes do not match, or sharpness or iterations are
            not positive.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 100, 1, 5).astype("float32")
    loss = losses.SinkPIT(losses.SISDR())
    assert loss(s, s[..., [2, 0, 4, 1, 3]]) < -50
    ```

    Reference:
        Tachibana 2021, "Towards listening to 10 people simultaneously: an efficient permutation
        invariant training of audio source separation using Sinkhorn's algorithm".
    """

    def __init__(
        self,
        loss: keras.losses.Loss | str | dict,
        sharpness: float = 10.0,
        iterations: int = 100,
        name: str = "sink_pit",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if sharpness <= 0 or iterations < 1:
            raise InputError(
                f"received sharpness={sharpness} and iterations={iterations}, expected both above 0"
            )
        self.loss = as_loss(loss)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_sources(y_true, y_pred)
        costs = pairwise(self.loss, y_true, y_pred)
        plan = sinkhorn(costs, self.sharpness, self.iterations)
        total = ops.sum(ops.exp(plan) * (costs + plan / self.sharpness), axis=(1, 2))
        return total / y_pred.shape[-1]
