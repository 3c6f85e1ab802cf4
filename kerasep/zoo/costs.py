"""The costs of a model: parameters, and multiply-adds per second of audio."""

import math

import keras

from kerasep import layers
from kerasep.ops import count_stft_frames
from kerasep.system.keras_private import flatten_layers

_SECONDS = 4


def costs(model: keras.Model, seconds: float = _SECONDS) -> dict[str, int]:
    """Count a model's parameters, and its multiply-adds per second of audio.

    A multiply-add is a product of a weight and a value in a dense, convolutional or recurrent layer
    or a learned filterbank. Norms, activations and fixed transforms are left out. The graph is
    traced without numbers, so the model's weights need no values.
    """
    samples = math.ceil(seconds * model.sample_rate)
    shape: tuple = (1, samples, model.channels)
    if model.domain == "spectrogram":
        n_fft, hop = model.stft["n_fft"], model.stft["hop"]
        shape = (1, count_stft_frames(samples, n_fft, hop), n_fft // 2 + 1, model.channels)
    total, counted = 0, []

    class Trace(keras.Operation):
        def call(self, x):
            nonlocal total
            total = 0  # some backends trace twice
            return model(x, training=False)

    try:
        for layer in flatten_layers(model):
            count = next((COUNTS[kind] for kind in type(layer).__mro__ if kind in COUNTS), None)
            if count is None:
                continue

            def call(x, *args, layer=layer, original=layer.call, count=count, **kwargs):
                nonlocal total
                y = original(x, *args, **kwargs)
                first = y[0] if isinstance(y, list | tuple) else y
                total += count(layer, math.prod(x.shape), math.prod(first.shape))
                return y

            layer.call = call
            counted.append(layer)
        Trace()(keras.KerasTensor(shape, "float32"))
    finally:
        for layer in counted:
            del layer.call
    return {"parameters": model.count_params(), "macs": round(total / seconds)}


def _weights(variable):
    return math.prod(variable.shape)


def _by_output(layer, inputs, outputs):
    """Each output is a sum over all but the last axis of the kernel."""
    return outputs * _weights(layer.kernel) // layer.kernel.shape[-1]


def _by_input(layer, inputs, outputs):
    """Each input reaches all outputs of the kernel, whose axes are (*size, outputs, inputs)."""
    return inputs * _weights(layer.kernel) // layer.kernel.shape[-1]


def _by_channel(layer, inputs, outputs):
    """Each output is a sum over the kernel size alone."""
    return outputs * math.prod(layer.kernel_size)


def _by_step(layer, inputs, outputs):
    steps = inputs // layer.cell.kernel.shape[0]
    return steps * (_weights(layer.cell.kernel) + _weights(layer.cell.recurrent_kernel))


def _by_filter(layer, inputs, outputs):
    return outputs * layer.filters.shape[-1]


def _by_gated_filter(layer, inputs, outputs):
    return 2 * _by_filter(layer, inputs, outputs)


def _by_coefficient(layer, inputs, outputs):
    return inputs * layer.filters.shape[-1]


COUNTS = {
    keras.layers.Dense: _by_output,
    keras.layers.Conv1D: _by_output,
    keras.layers.Conv2D: _by_output,
    keras.layers.Conv1DTranspose: _by_input,
    keras.layers.Conv2DTranspose: _by_input,
    layers.Conv1DTranspose: _by_input,
    layers.Conv2DTranspose: _by_input,
    keras.layers.DepthwiseConv1D: _by_channel,
    keras.layers.LSTM: _by_step,
    keras.layers.GRU: _by_step,
    layers.GatedAnalysis: _by_gated_filter,
    layers.LearnedAnalysis: _by_filter,
    layers.LearnedSynthesis: _by_coefficient,
}
