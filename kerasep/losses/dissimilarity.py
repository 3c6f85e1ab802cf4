"""A loss that also moves estimates away from the other sources."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, check_sources, pairwise
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Dissimilarity(_Loss):
    """Loss less that of other sources: `mean_i loss(s_i, e_i) - w mean_{i != j} loss(s_i, e_j)`.

    An estimate that resembles another source costs more. If two estimates sum to the mixture, the
    L1 distance of the first to the second source equals that of the second to the first source.

    Args:
        loss: a loss that is a mean over sources, or its serialised form.
        weight: `w`, a small number. Defaults to 0.05.
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

    s = np.array([1.0, 3.0], "float32") * np.ones((2, 100, 1, 2), "float32")
    loss = losses.Dissimilarity(losses.Waveform(), weight=0.1)
    np.testing.assert_allclose(loss(s, s), 0 - 0.1 * 2, rtol=1e-5)
    np.testing.assert_allclose(loss(s, s[..., ::-1]), 2 - 0.1 * 0, rtol=1e-5)
    ```

    Reference:
        Lluís, Pons and Serra 2019, "End-to-end music source separation: is it possible in the
        waveform domain?", Interspeech.
    """

    def __init__(
        self,
        loss: keras.losses.Loss | str | dict,
        weight: float = 0.05,
        name: str = "dissimilarity",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.loss = as_loss(loss)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_sources(y_true, y_pred)
        sources = y_pred.shape[-1]
        same = np.eye(sources, dtype="float32") / sources
        other = (1 - np.eye(sources, dtype="float32")) / max(1, sources * (sources - 1))
        pairs = pairwise(self.loss, y_true, y_pred)
        weights = ops.convert_to_tensor(same - self.weight * other, pairs.dtype)
        return ops.sum(pairs * weights, axis=(1, 2))
