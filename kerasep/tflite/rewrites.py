"""Layers in the form in which TFLite runs them best, for the length of an export."""

import contextlib

import keras

from kerasep.layers import (
    STFT,
    Conv1DTranspose,
    Conv2DTranspose,
    GlobalLayerNormalization,
    InverseSTFT,
    Magnitude,
    WienerFilter,
)
from kerasep.layers.lstm import LSTM
from kerasep.tflite.means import global_layer_normalization_form
from kerasep.tflite.recurrent import recurrent_form
from kerasep.tflite.spectra import magnitude_form, wiener_filter_form
from kerasep.tflite.transforms import inverse_stft_form, stft_form
from kerasep.tflite.transposed_1d import conv1d_transpose_form
from kerasep.tflite.transposed_2d import conv2d_transpose_form

# class of layer -> function of a layer that returns a replacement for its `call`, or None
FORMS = {
    keras.layers.Conv1DTranspose: conv1d_transpose_form,
    keras.layers.Conv2DTranspose: conv2d_transpose_form,
    Conv1DTranspose: conv1d_transpose_form,
    Conv2DTranspose: conv2d_transpose_form,
    keras.layers.GRU: recurrent_form,
    keras.layers.LSTM: recurrent_form,
    LSTM: recurrent_form,
    STFT: stft_form,
    InverseSTFT: inverse_stft_form,
    Magnitude: magnitude_form,
    GlobalLayerNormalization: global_layer_normalization_form,
    WienerFilter: wiener_filter_form,
}


@contextlib.contextmanager
def export_forms(model, wrap=None):
    """Let layers of a model compute the same by builtin operations, until the block ends.

    The model, its weights and its results stay what they were: only how some layers compute
    is exchanged, and put back at the end.

    Args:
        model: a built `keras.Model` on the TensorFlow backend; models inside it are reached too.
        wrap: function of (layer, own call, export form) that returns what to call instead of the
            export form. Default: the export form itself.

    Yields:
        List of the layers concerned.

    Example:
    ```python
    import keras
    import numpy as np
    from kerasep.tflite.rewrites import export_forms

    model = keras.Sequential([keras.Input((20, 3)), keras.layers.LSTM(4)])
    x = np.random.randn(1, 20, 3).astype("float32")
    expected = model(x)
    with export_forms(model) as layers:
        assert len(layers) == 1
        np.testing.assert_allclose(model(x), expected, atol=1e-6)
    ```
    """
    replaced = []
    try:
        # Keras has no public walk through the layers inside layers.
        for layer in model._flatten_layers():
            make = FORMS.get(type(layer))
            form = make(layer) if make else None
            if form is not None:
                layer.call = wrap(layer, layer.call, form) if wrap else form
                replaced.append(layer)
        yield replaced
    finally:
        for layer in replaced:
            del layer.call
