"""The layers that have an export form, and the use of these forms during an export."""

import contextlib
import math

import keras
import tensorflow as tf

from kerasep import layers
from kerasep.layers.lstm import LSTM
from kerasep.system.keras_private import flatten_layers
from kerasep.tflite.forms.feature_transforms import feature_fft_form, inverse_feature_fft_form
from kerasep.tflite.forms.means import global_layer_normalization_form
from kerasep.tflite.forms.recurrent import grouped_gru_form, recurrent_form
from kerasep.tflite.forms.transforms import (
    inverse_fft_form,
    inverse_stft_form,
    magnitude_form,
    stft_form,
    wiener_filter_form,
)
from kerasep.tflite.forms.transposed import conv1d_transpose_form, conv2d_transpose_form
from kerasep.tflite.quantization import SCOPE

# class of layer -> function of a layer that returns a replacement for its `call`, or None
FORMS = {
    keras.layers.Conv1DTranspose: conv1d_transpose_form,
    keras.layers.Conv2DTranspose: conv2d_transpose_form,
    layers.Conv1DTranspose: conv1d_transpose_form,
    layers.Conv2DTranspose: conv2d_transpose_form,
    keras.layers.GRU: recurrent_form,
    keras.layers.LSTM: recurrent_form,
    LSTM: recurrent_form,
    layers.GroupedGRU: grouped_gru_form,
    layers.STFT: stft_form,
    layers.InverseFFT: inverse_fft_form,
    layers.InverseSTFT: inverse_stft_form,
    layers.FeatureFFT: feature_fft_form,
    layers.InverseFeatureFFT: inverse_feature_fft_form,
    layers.Magnitude: magnitude_form,
    layers.GlobalLayerNormalization: global_layer_normalization_form,
    layers.WienerFilter: wiener_filter_form,
}

# Layers whose weights stay float32 in a quantised file unless they are large: no later layer
# corrects their errors.
_LARGE = 2**20  # weights; larger layers would be most of the file, and of the time
FLOAT_LAYERS = (
    layers.STFT,
    layers.InverseFFT,
    layers.InverseSTFT,
    layers.FeatureFFT,
    layers.InverseFeatureFFT,
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


def export_forms(model, wrap=None):
    """Replace the `call` of layers by `wrap(layer, call, form)` or their form; yield the layers."""

    def replacement(layer):
        make = FORMS.get(type(layer))
        form = make(layer) if make else None
        return wrap(layer, layer.call, form) if form and wrap else form

    return _replaced_calls(model, replacement)


def float_layers(model, waveform):
    """Trace layers that stay float32 in a name scope that quantisation leaves alone."""

    def replacement(layer):
        # In a waveform model the mask head is as delicate as the filterbank.
        delicate = isinstance(layer, FLOAT_LAYERS) or (waveform and layer.name.startswith("mask"))
        large = sum(math.prod(weight.shape) for weight in layer.weights) > _LARGE
        # LiteRT's int8 convolution is slower than its float32 one for such an encoder.
        if delicate and (not large or isinstance(layer, layers.LearnedAnalysis)):
            return _in_float_scope(layer.call)
        return None

    return _replaced_calls(model, replacement)


@contextlib.contextmanager
def _replaced_calls(model, replacement):
    """Replace `layer.call` by `replacement(layer)`, unless it is None; restore it at the end."""
    before = []
    try:
        for layer in flatten_layers(model):
            call = replacement(layer)
            if call is not None:
                before.append((layer, vars(layer).get("call")))
                layer.call = call
        yield [layer for layer, _ in before]
    finally:
        for layer, call in before:
            if call is None:
                del layer.call
            else:
                layer.call = call


def _in_float_scope(call):
    def named(*args, **kwargs):
        with tf.name_scope(SCOPE):
            return call(*args, **kwargs)

    return named
