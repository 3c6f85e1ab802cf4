"""A loss of all sums of sources."""

import itertools
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, each_example
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Combinations(_Loss):
    """Combination loss of X-UMX: `mean_A loss(sum_{i in A} s_i, sum_{i in A} e_i)`.

    `A` runs over all proper subsets of the sources. Four sources have fourteen of them: four single
    sources, six pairs and four triples. If two estimates contain parts of each other, both are
    wrong, but their sum is not. Spectra are summed before their magnitudes are computed.

    Args:
        loss: a loss that is a mean over sources, or its serialised form.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: what the loss takes, source waveforms or the packed reference.
        y_pred: what the loss takes, with sources on the last axis.

    Raises:
        InputError: if `loss` is not a loss, or the shapes do not match.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 100, 1, 3).astype("float32")
    swapped = s + 0.1 * np.array([1, -1, 0], "float32")
    loss = losses.Combinations(losses.Waveform(p=2))
    # Two of the six sums have no error: that of the first two sources, and the last source.
    np.testing.assert_allclose(loss(s, swapped), 0.01 * 4 / 6, rtol=1e-4)
    ```

    Reference:
        Sawata, Uhlich, Takahashi and Mitsufuji 2021, "All for one and one for all: improving music
        separation by bridging networks", ICASSP.
    """

    def __init__(
        self, loss: keras.losses.Loss | str | dict, name: str = "combinations", **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        self.loss = as_loss(loss)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        # Also checks the shapes, which sums would hide.
        singles = each_example(self.loss, y_true, y_pred)
        sources = y_pred.shape[-1]
        if sources < 3:
            return singles
        sums = _sums(sources)
        if len(y_true.shape) == len(y_pred.shape):
            return each_example(self.loss, _summed(y_true, sums), _summed(y_pred, sums))
        mixture, true = y_true[..., :1, :], y_true[..., 1:, :]
        true = ops.swapaxes(_summed(ops.swapaxes(true, -1, -2), sums), -1, -2)
        reference = ops.concatenate([mixture, true], axis=-2)
        return each_example(self.loss, reference, _summed(y_pred, sums))


def _sums(sources):
    """Return 1 for the sources in each sum, else 0, `(sources, sums)`."""
    subsets = itertools.product([0, 1], repeat=sources)
    return np.array([subset for subset in subsets if 0 < sum(subset) < sources], "float32").T


def _summed(sources, sums):
    # Not matmul: TensorFlow 2.21 crashes on some batches of matrices by one matrix.
    return ops.tensordot(sources, sums, axes=1)
