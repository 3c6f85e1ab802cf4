"""Signal-to-noise ratio that stops rewarding an estimate once it is good."""

import keras

from kerasep.losses.ratios import RatioLoss
from kerasep.ops import ratios


@keras.saving.register_keras_serializable("kerasep")
class ThresholdedSNR(RatioLoss):
    """Negative thresholded SNR: `-10 log10(|s|^2 / (|s - e|^2 + t |s|^2))`, in dB.

    `t = 10^(-limit / 10)`: never less than `-limit`, so that examples that are good already do not
    drown the rest. The loss of mixture invariant training.

    Args:
        limit: the ratio of a perfect estimate, in dB. Defaults to 30.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: for other shapes.

    Example:
    >>> import numpy as np
    >>> s = np.ones((2, 100, 1, 2), "float32")
    >>> round(float(ThresholdedSNR()(s, s)))
    -30

    Reference:
        Wisdom et al. 2020, "Unsupervised sound separation using mixture invariant training", eq. 2.
    """

    def __init__(
        self,
        limit=30.0,
        name="thresholded_snr",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(name, reduction, dtype)
        self.limit = limit

    def ratio(self, reference, estimate):
        """Thresholded ratio in dB, samples gone."""
        return ratios.thresholded_snr(reference, estimate, self.limit)

    def energies(self, reference, estimate, product):
        """Signal, and noise with its threshold."""
        noise = reference + estimate - 2 * product
        return reference, noise + 10 ** (-self.limit / 10) * reference

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "limit": self.limit}
