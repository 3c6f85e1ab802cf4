"""Models of spectrograms trained on batches of waveforms, which are transformed where they train.

On an accelerator the transform costs next to nothing, and the processor, which reads and mixes,
would be what the training step waits for: for crops of music it spends most of its time on it.
"""

import keras
from keras import ops

from kerasep.layers import STFT, Magnitude
from kerasep.losses.pairwise import each_example
from kerasep.training.devices import has_accelerator


def transforms_on_device(model, settings, prepared=False):
    """Tell whether a run's transform belongs where the model trains.

    Args:
        model: the model that will be trained.
        settings: the recipe's `data`.
        prepared: whether the data are spectrograms already. Defaults to False.

    Returns:
        True for a model of spectrograms where there is an accelerator, unless the pipeline itself
        deals in spectrograms: prepared ones, or such as are masked.

    Example:
    >>> from kerasep import zoo
    >>> transforms_on_device(zoo.load("conv_tasnet_like/digits"), {})
    False
    """
    if model.domain != "spectrogram" or prepared:
        return False
    return "mask_spectrum" not in (settings.get("augment") or {}) and has_accelerator()


def fed_waveforms(model):
    """Put a model's transform in front of it; the weights are the same ones, in the same order.

    Args:
        model: a model of spectrograms.

    Returns:
        A `keras.Model` that takes waveforms `(batch, samples, channels)` and gives what the model
        does, and knows what it knows; its attribute `transform` has the settings of the STFT.

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
    model.share_knowledge(fed)  # with callbacks, which see this one
    fed.transform = dict(model.stft)
    return fed


class OfWaveforms(keras.losses.Loss):
    """A loss on spectrograms, its packed reference made of waveforms.

    Args:
        loss: the loss.
        transform: dict of n_fft, hop and window.

    Call arguments:
        y_true: mixture and sources `(batch, samples, channels, 1 + sources)`.
        y_pred: as the loss takes it.
    """

    def __init__(self, loss, transform):
        super().__init__(name=loss.name, reduction=loss.reduction, dtype="float32")
        self.loss = loss
        self.stft = STFT(**transform)

    def call(self, y_true, y_pred):
        """Loss of each example, `(batch,)`."""
        batch, samples, channels, signals = ops.shape(y_true)
        flat = ops.reshape(y_true, (batch, samples, channels * signals))
        spectra = self.stft(flat)
        _, frames, bins, _, _ = ops.shape(spectra)
        reference = ops.reshape(spectra, (batch, frames, bins, channels, signals, 2))
        return each_example(self.loss, reference, y_pred)
