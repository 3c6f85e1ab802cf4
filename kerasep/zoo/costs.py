"""The costs of a model: parameters, and multiply-adds per second of audio."""

import math

import keras

from kerasep import layers
from kerasep.ops import count_stft_frames
from kerasep.system.keras_private import flatten_layers

_SECONDS = 4


def costs(model: keras.Model, seconds: float | None = None) -> dict[str, int]:
    """Count a model's parameters, and its multiply-adds per second of audio.

    They are counted over the model's own chunk, or else over four seconds.

    A multiply-add is a product of a weight and a value in a dense, convolutional or recurrent layer
    or a learned filterbank. Norms, activations and fixed transforms are left out. The graph is
    traced without numbers, so the model's weights need no values.
    """
    seconds = seconds or model.chunk_seconds or _SECONDS
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


def _by_output(layer, inputs, outputs):
    """Count a sum over all but the last axis of the kernel for each output."""
    return outputs * math.prod(layer.kernel.shape[:-1])


def _by_input(layer, inputs, outputs):
    """Count a product with all but the last axis, (*size, outputs, inputs), for each input."""
    return inputs * math.prod(layer.kernel.shape[:-1])


def _causal(layer, inputs, outputs):
    """Count all but the products with the zeros between the bands of a transposed convolution."""
    return _by_output(layer, inputs, outputs) // (layer.stride if layer.transposed else 1)


def _by_step(layer, inputs, outputs):
    return _cell_by_step(layer.cell, inputs)


def _of_groups(layer, inputs, outputs):
    return sum(_cell_by_step(cell, inputs // layer.groups) for cell in layer.cells)


def _cell_by_step(cell, inputs):
    kernel, recurrent = cell.kernel.shape, cell.recurrent_kernel.shape
    return inputs // kernel[0] * (math.prod(kernel) + math.prod(recurrent))


# Functions of a layer, and the sizes of its input and output.
COUNTS = {
    keras.layers.Dense: _by_output,
    keras.layers.Conv1D: _by_output,
    keras.layers.Conv2D: _by_output,
    keras.layers.Conv1DTranspose: _by_input,
    keras.layers.Conv2DTranspose: _by_input,
    layers.Conv1DTranspose: _by_input,
    layers.Conv2DTranspose: _by_input,
    keras.layers.DepthwiseConv1D: lambda layer, x, y: y * math.prod(layer.kernel_size),
    keras.layers.LSTM: _by_step,
    keras.layers.GRU: _by_step,
    layers.CausalConv2D: _causal,
    layers.GroupedGRU: _of_groups,
    layers.GatedAnalysis: lambda layer, x, y: 2 * y * layer.filters.shape[-1],
    layers.LearnedAnalysis: lambda layer, x, y: y * layer.filters.shape[-1],
    layers.LearnedSynthesis: lambda layer, x, y: x * layer.filters.shape[-1],
}
