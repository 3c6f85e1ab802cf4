"""The measures by which recordings are scored, each with its convention."""

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError

MEASURES = {
    "si_sdr": "SI-SDR, mean over the channels that have a signal (Le Roux et al. 2019, means kept)",
    "usdr": "uSDR: SNR over all channels and the whole track at once (Mitsufuji et al. 2021)",
}


def scores(reference, estimate):
    """Score the estimate of one source of one recording by every measure.

    A channel whose reference is silent has no SI-SDR: it would be some -100 dB, whatever the
    estimate, and drown the others.

    Args:
        reference: the true waveform `(samples, channels)`.
        estimate: its estimate, of the same shape.

    Returns:
        Dict from a name in `MEASURES` to dB.

    Raises:
        InputError: for shapes that differ, or are no recording's.

    Example:
    >>> import numpy as np
    >>> s = np.ones((100, 2), "float32")
    >>> round(scores(s, 0.9 * s)["usdr"], 1)
    20.0
    """
    if np.ndim(reference) != 2 or np.shape(reference) != np.shape(estimate):
        raise InputError(
            f"received a reference {np.shape(reference)} and an estimate {np.shape(estimate)}, "
            f"expected (samples, channels) twice"
        )
    per_channel = keras.ops.convert_to_numpy(ops.si_sdr(reference, estimate, axis=0))
    heard = np.any(reference, axis=0) | (not np.any(reference))
    whole = keras.ops.convert_to_numpy(ops.snr(reference, estimate, axis=(0, 1)))
    return {"si_sdr": float(per_channel[heard].mean()), "usdr": float(whole)}
