"""A loss in which a source counts only up to a frequency."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, check_sources, each_example
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class BandLimited(_Loss):
    """A loss of spectrograms in which sources count less above a frequency of their own.

    `loss(g_i S_i, g_i E_i)` with `g_i = 1` up to the limit of source i and `above` beyond it. For
    sources recorded at a lower sample rate than the others: their spectra above half that rate are
    not known. The mixture stays as it is.

    Args:
        loss: a loss of spectrograms, or its serialised form.
        limits: for each source the highest frequency that counts fully, in Hz, or None for all.
        sample_rate: of the model, in Hz.
        above: factor of the magnitudes beyond the limits, from 0 to 1. At 0 nothing determines what
            a model estimates there; 0.1 gives its errors 1 % of their weight. Defaults to 0.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: source magnitudes `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: if `loss` is not a loss, a limit or `above` is out of range, the shapes do not
            match, or the number of limits differs from that of sources.

    Example:
    ```python
    import numpy as np
    from kerasep import losses, targets

    spectra = np.ones((1, 2, 5, 1, 2, 2), "float32")  # bins at 0, 2, 4, 6 and 8 kHz
    reference = targets.pack_reference(spectra.sum(-2), spectra)
    wrong = np.array(targets.magnitude_target(reference))
    wrong[:, :, 3:, :, 0] += 1  # the first source at 6 and 8 kHz
    loss = losses.BandLimited(losses.MagnitudeSpectrum(), limits=[4000, None], sample_rate=16000)
    assert loss(reference, wrong) == 0 < losses.MagnitudeSpectrum()(reference, wrong)
    ```
    """

    def __init__(
        self,
        loss: keras.losses.Loss | str | dict,
        limits: Sequence[float | None],
        sample_rate: int,
        above: float = 0.0,
        name: str = "band_limited",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.loss = as_loss(loss)
        self.limits = [*limits]
        numbers = [limit for limit in self.limits if limit is not None]
        if not 0 <= above <= 1 or not all(0 < limit <= sample_rate / 2 for limit in numbers):
            raise InputError(
                f"received limits={self.limits}, above={above}, expected frequencies from 0 to "
                f"{sample_rate / 2} Hz or None, and a factor from 0 to 1"
            )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        check_sources(y_true, y_pred)
        if y_pred.shape[-1] != len(self.limits) or len(y_pred.shape) != 5:
            raise InputError(
                f"received y_pred {tuple(y_pred.shape)}, expected "
                f"(batch, frames, bins, channels, {len(self.limits)}): one source per limit"
            )
        factors = self._factors(y_pred.shape[2])
        mixture = ops.ones_like(factors[..., :1])
        of_signals = ops.concatenate([mixture, factors], axis=-1)[..., None]
        return each_example(self.loss, y_true * of_signals, y_pred * factors)

    def _factors(self, bins):
        """Return the factor of every bin and source, `(bins, 1, sources)`."""
        frequencies = np.linspace(0, self.sample_rate / 2, bins)[:, None, None]
        limits = np.array([np.inf if limit is None else limit for limit in self.limits])
        factors = np.where(frequencies <= limits, 1.0, self.above)
        return ops.convert_to_tensor(factors, "float32")  # PyTorch takes no NumPy arrays
