"""What a model costs: parameters, and multiply-adds for a second of audio."""

import math

import keras
import numpy as np

from kerasep import layers
from kerasep.ops import count_stft_frames

_SECONDS = 4


def costs(model, seconds=_SECONDS):
    """Count a model's parameters and its multiply-adds.

    A multiply-add is one product of a weight and a value in a dense, convolutional or recurrent
    layer or a learned filterbank; what norms, activations and fixed transforms take is left out.
    They are counted while the model runs once on silence.

    Args:
        model: a model of the zoo.
        seconds: length of the silence. Defaults to 4.

    Returns:
        Dict of `parameters`, and `macs` for a second of audio, both whole numbers.

    Example:
    ```python
    import kerasep
    from kerasep.zoo.costs import costs

    model = kerasep.zoo.load("open_unmix_like/small", sources=["vocals"])
    assert costs(model)["parameters"] == model.count_params()
    ```
    """
    samples = math.ceil(seconds * model.sample_rate)
    if model.domain == "waveform":
        silence = np.zeros((1, samples, model.channels), "float32")
    else:
        n_fft, hop = model.stft["n_fft"], model.stft["hop"]
        frames = count_stft_frames(samples, n_fft, hop)
        silence = np.zeros((1, frames, n_fft // 2 + 1, model.channels), "float32")
    total, counted = 0, []
    try:
        # Keras has no public walk through the layers inside layers.
        for layer in model._flatten_layers():
            count = next((COUNTS[kind] for kind in type(layer).__mro__ if kind in COUNTS), None)
            if count is None:
                continue

            def call(x, *args, layer=layer, own=layer.call, count=count, **kwargs):
                nonlocal total
                y = own(x, *args, **kwargs)
                first = y[0] if isinstance(y, list | tuple) else y
                total += count(layer, _size(x), _size(first))
                return y

            layer.call = call
            counted.append(layer)
        model(silence, training=False)
    finally:
        for layer in counted:
            del layer.call
    return {"parameters": model.count_params(), "macs": round(total / seconds)}


def _size(x):
    return math.prod(x.shape)


def _weights(variable):
    return math.prod(variable.shape)


def _by_output(layer, received, given):
    """Every output is a sum over one column of the kernel, its last axis."""
    return given * _weights(layer.kernel) // layer.kernel.shape[-1]


def _by_input(layer, received, given):
    """Every input goes into all outputs that the kernel, (*size, outputs, inputs), reaches."""
    return received * _weights(layer.kernel) // layer.kernel.shape[-1]


def _by_channel(layer, received, given):
    """Every output is a sum over the kernel's size alone."""
    return given * math.prod(layer.kernel_size)


def _by_step(layer, received, given):
    steps = received // layer.cell.kernel.shape[0]
    return steps * (_weights(layer.cell.kernel) + _weights(layer.cell.recurrent_kernel))


def _by_filter(layer, received, given):
    return given * layer.filters.shape[-1]


def _by_gated_filter(layer, received, given):
    return 2 * _by_filter(layer, received, given)


def _by_coefficient(layer, received, given):
    return received * layer.filters.shape[-1]


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
