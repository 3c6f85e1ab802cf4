"""Estimates of the ideal masks, which show how far any mask with the mixture's phase could go."""

from typing import Any

import keras
import numpy as np

from kerasep import ops, targets
from kerasep.separation.chunks import CHUNK_SECONDS, crossfaded
from kerasep.separation.separator import pad_to_frames

ORACLES = {
    "ibm": targets.ideal_binary_mask,
    "irm": targets.ideal_ratio_mask,
    "tpsa": targets.ideal_phase_sensitive_mask,
}
_STFT: dict = {"n_fft": 2048, "hop": 512, "window": "hann"}  # for models without a transform


def oracle_estimates(model: Any, mixture: np.ndarray, stems: np.ndarray) -> dict[str, np.ndarray]:
    """Separate a recording with the ideal masks of its true sources.

    Args:
        model: Its transform is used. Without one, frames of 2048 samples with a hop of 512.
        mixture: Waveform `(samples, channels)`.
        stems: Source waveforms `(samples, channels, sources)`.

    Returns:
        Dict from "ibm", "irm" and "tpsa" to estimates `(samples, channels, sources)`.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    stems = np.random.randn(8000, 1, 4).astype("float32")
    ideal = kerasep.evaluation.oracle_estimates(model, stems.sum(-1), stems)
    assert ideal["irm"].shape == stems.shape
    ```
    """
    transform = getattr(getattr(model, "model", model), "stft", None) or _STFT
    samples, channels, sources = stems.shape
    signals = np.concatenate([mixture[..., None], stems], axis=-1).reshape(samples, -1)

    def process(waveforms):
        spectrum = ops.stft(pad_to_frames(waveforms[None], transform), **transform)
        shape = keras.ops.shape(spectrum)
        reference = keras.ops.reshape(spectrum, (*shape[:3], channels, 1 + sources, 2))
        separated = [
            _masked(reference, mask(reference), transform, len(waveforms))
            for mask in ORACLES.values()
        ]
        return np.concatenate(separated, axis=-1)

    chunk = round(CHUNK_SECONDS * model.sample_rate)
    pieces = crossfaded([signals], process, chunk, 4 * transform["n_fft"], hop=transform["hop"])
    joined = np.concatenate(list(pieces)).reshape(samples, channels, len(ORACLES), sources)
    return {name: joined[:, :, index] for index, name in enumerate(ORACLES)}


def _masked(reference, mask, transform, length):
    """Return the waveforms `(samples, channels, sources)` of the masked mixture."""
    spectra = ops.apply_mask(mask, reference[..., 0, :])
    waveforms = [
        ops.istft(spectra[..., index, :], **transform, length=length)[0]
        for index in range(spectra.shape[-2])
    ]
    return keras.ops.convert_to_numpy(keras.ops.stack(waveforms, axis=-1))
