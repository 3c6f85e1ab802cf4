"""Layers whose operations keep float32 weights when the rest of a file is quantised."""

import contextlib

import tensorflow as tf

from kerasep import layers
from kerasep.tflite.quantization import SCOPE

# Their tables are small, and what they lose nothing later makes good.
TRANSFORMS = (
    layers.STFT,
    layers.InverseSTFT,
    layers.MelScale,
    layers.InverseMelScale,
    layers.GammatoneAnalysis,
    layers.SincAnalysis,
    layers.GriffinLim,
    layers.MISI,
    layers.WienerFilter,
    layers.Resample,
    layers.KMeans,
    layers.SoftKMeans,
    layers.LearnedAnalysis,
    layers.GatedAnalysis,
    layers.LearnedSynthesis,
)


def stays_float(layer, waveform):
    """Tell whether a layer's weights are left as they are.

    Args:
        layer: the layer.
        waveform: whether it is part of a waveform model, whose mask head is as delicate as its
            filterbank.

    Returns:
        Whether it is a transform, or that head.

    Example:
    >>> stays_float(layers.STFT(512, 128), waveform=False)
    True
    """
    return isinstance(layer, TRANSFORMS) or (waveform and layer.name.startswith("mask"))


@contextlib.contextmanager
def float_layers(model, waveform):
    """Trace the operations of such layers under a name that quantisation knows.

    Args:
        model: a built `keras.Model`; models inside it are reached too.
        waveform: whether it is, or wraps, a waveform model.
    """
    replaced = []
    try:
        for layer in model._flatten_layers():
            if stays_float(layer, waveform):
                replaced.append((layer, vars(layer).get("call")))
                layer.call = _named(layer.call)
        yield
    finally:
        for layer, before in replaced:
            if before is None:
                del layer.call
            else:
                layer.call = before


def _named(call):
    def named(*args, **kwargs):
        with tf.name_scope(SCOPE):
            return call(*args, **kwargs)

    return named
