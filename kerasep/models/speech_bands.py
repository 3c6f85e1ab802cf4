"""Parts of networks that clean speech in bands of its spectrum."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import GroupedGRU
from kerasep.models.separation_model import check_signal
from kerasep.ops import check_transform

_HALVINGS = 4  # the bands are halved twice
# Of the inverse transform: the samples behind the last whole hop fade out.
LEAST = 0.1


def check_bands(sources, sample_rate, channels, n_fft, hop, window, low, bands):
    """Validate a network's arguments; return the sources as a tuple."""
    sources = check_signal(sources, sample_rate, channels)
    check_transform(n_fft, hop, window)
    if len(sources) > 2:
        raise InputError(
            f"received sources={list(sources)}, expected at most 2: speech, and what remains"
        )
    if (low + bands) % _HALVINGS != 1:
        raise InputError(
            f"received low={low}, bands={bands}, expected a sum of 1 and a multiple of "
            f"{_HALVINGS}, such as 65 and 64: the bands are halved twice around their middle"
        )
    return sources


def normalized(x, name):
    """Apply batch normalisation, with the settings of the originals."""
    return kl.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)


def dual_path(x, name):
    """Run grouped GRUs over the bands of each frame, then over the frames of each band."""
    channels = x.shape[-1]
    for over, bidirectional in (("bands", True), ("frames", False)):
        part = f"{name}_{over}"
        y = GroupedGRU(channels, 2, over, bidirectional, name=part)(x)
        y = kl.Dense(channels, name=f"{part}_dense")(y)
        y = kl.LayerNormalization(axis=[2, 3], epsilon=1e-8, name=f"{part}_norm")(y)
        x = kl.Add(name=f"{part}_add")([x, y])
    return x


def speech_and_rest(speech, mixture, sources):
    """Return source waveforms: the speech, and what remains of the mixture."""
    waveforms = [speech]
    if len(sources) == 2:
        waveforms.append(kl.Subtract(name="rest", dtype="float32")([mixture, speech]))
    return keras.ops.stack(waveforms, axis=-1)
