"""Train spectrogram models on batches of waveforms, with the transform on the device.

On an accelerator the transform costs next to nothing. In the pipeline, for crops of music, it takes
most of the processor's time, and each training step would wait for it.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from kerasep.layers import STFT, Magnitude
from kerasep.training.devices import has_accelerator


def transforms_on_device(
    model: keras.Model, settings: Mapping[str, Any], prepared: bool = False
) -> bool:
    """Return whether to transform on the device: for spectrogram models, on an accelerator.

    Not if the pipeline works on spectrograms, which are `prepared` or masked.
    """
    if model.domain != "spectrogram" or prepared:
        return False
    return "mask_spectrum" not in (settings.get("augment") or {}) and has_accelerator()


def fed_waveforms(model: keras.Model) -> keras.Model:
    """Put the transform in front of a spectrogram model, whose weights and outputs it shares.

    It trains on batches of `kerasep.data.waveforms`: the losses and metrics of the model get the
    spectra of mixture and sources.

    Args:
        model: a spectrogram model of the zoo.

    Returns:
        A `keras.Model` of waveforms `(batch, samples, channels)`. It has the model's attributes.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    fed = kerasep.training.waveform_training.fed_waveforms(model)
    assert fed.predict_on_batch(np.zeros((1, 4096, 1))).shape == (1, 17, 513, 1, 4)
    ```
    """
    mixture = keras.Input((None, model.channels), name="mixture")
    spectrum = STFT(**model.stft, name="transform")(mixture)
    fed = _Fed(mixture, model(Magnitude(name="magnitude")(spectrum)), name=model.name)
    model.share_knowledge(fed)  # for callbacks, which get this model
    return fed


class _Fed(keras.Model):
    """A model of waveforms whose losses and metrics compare spectra."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the loss of the sources `y` of a mixture `x`."""
        return super().compute_loss(x, self._reference(x, y), y_pred, sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the logs, which the metrics' state then is."""
        return super().compute_metrics(x, self._reference(x, y), y_pred, sample_weight)

    def _reference(self, mixture, sources):
        """Return the packed spectra of mixture and sources, for each of the outputs."""
        if sources is None:  # Keras asks once which losses there are
            return None
        signals = ops.concatenate([ops.expand_dims(mixture, -1), sources], axis=-1)
        signals = ops.cast(signals, "float32")
        batch, samples, channels, count = ops.shape(signals)
        flat = ops.reshape(signals, (batch, samples, channels * count))
        spectra = self.get_layer("transform")(flat)
        _, frames, bins, _, _ = ops.shape(spectra)
        packed = ops.reshape(spectra, (batch, frames, bins, channels, count, 2))
        return dict.fromkeys(self.output, packed) if isinstance(self.output, dict) else packed
