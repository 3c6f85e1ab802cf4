"""The measures by which recordings are scored, each with its convention."""

import keras

from kerasep import ops

MEASURES = {
    "si_sdr": "SI-SDR of each channel, averaged over channels (Le Roux et al. 2019, no mean taken off)",
    "usdr": "uSDR: SNR over both channels and the whole track at once (Mitsufuji et al. 2021)",
}


def scores(reference, estimate):
    """Score the estimate of one source of one recording by every measure.

    Args:
        reference: the true waveform `(samples, channels)`.
        estimate: its estimate, of the same shape.

    Returns:
        Dict from a name in `MEASURES` to dB.

    Example:

    >>> import numpy as np
    >>> s = np.ones((100, 2), "float32")
    >>> round(scores(s, 0.9 * s)["usdr"], 1)
    20.0
    """
    per_channel = keras.ops.convert_to_numpy(ops.si_sdr(reference, estimate, axis=0))
    whole = keras.ops.convert_to_numpy(ops.snr(reference, estimate, axis=(0, 1)))
    return {"si_sdr": float(per_channel.mean()), "usdr": float(whole)}
