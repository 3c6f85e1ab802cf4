"""Train spectrogram models on batches of waveforms, with the transform on the device.

On an accelerator the transform costs next to nothing. In the pipeline, for crops of music, it takes
most of the processor's time, and each training step would wait for it.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from kerasep.layers import STFT, Magnitude
from kerasep.losses.pairwise import each_example
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

    Args:
        model: a spectrogram model of the zoo.

    Returns:
        A `keras.Model` of waveforms `(batch, samples, channels)`. It has the model's attributes,
        and the settings of the STFT as `transform`.

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
    fed = keras.Model(mixture, model(Magnitude(name="magnitude")(spectrum)), name=model.name)
    model.share_knowledge(fed)  # for callbacks, which get this model
    fed.transform = dict(model.stft)
    return fed


class OfWaveforms(keras.losses.Loss):
    """A spectrogram loss of waveforms `(batch, samples, channels, 1 + sources)`, mixture first."""

    def __init__(self, loss: keras.losses.Loss, transform: Mapping[str, Any]):
        super().__init__(name=loss.name, reduction=loss.reduction, dtype="float32")
        self.loss = loss
        self.stft = STFT(**transform)

    def call(self, y_true, y_pred):
        """Return the loss per example, `(batch,)`."""
        return each_example(self.loss, self.reference(y_true), y_pred)

    def reference(self, y_true):
        """Return the packed reference of waveforms."""
        batch, samples, channels, signals = ops.shape(y_true)
        flat = ops.reshape(y_true, (batch, samples, channels * signals))
        spectra = self.stft(flat)
        _, frames, bins, _, _ = ops.shape(spectra)
        return ops.reshape(spectra, (batch, frames, bins, channels, signals, 2))
