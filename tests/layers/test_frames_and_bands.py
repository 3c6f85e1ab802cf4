"""Layers over frames and bands, against their formulas."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers, ops
from kerasep.errors import InputError


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def built(layer, x):
    """Build a layer, and give every weight a value that shows."""
    layer(x)
    for seed, variable in enumerate(layer.variables):
        variable.assign(noise(*variable.shape, seed=seed))
    return layer


def correlated(layer, x):
    """Convolve each output channel with the inputs of its group, sample by sample."""
    kernel, bias = convert_to_numpy(layer.kernel), convert_to_numpy(layer.bias)
    times, width, inputs, outputs = kernel.shape
    frames, bands = x.shape[1:3]
    x = np.pad(x[0], [[layer.past, 0], [width // 2, width // 2], [0, 0]])
    y = np.zeros((frames, bands, outputs)) + bias
    for output in range(outputs):
        first = output // (outputs // layer.groups) * inputs
        part = x[..., first : first + inputs]
        for time in range(times):
            for place in range(width):
                start = time * layer.dilation
                seen = part[start : start + frames, place : place + bands]
                y[..., output] += seen @ kernel[time, place, :, output]
    return y[None]


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("dilation", [1, 3])
def test_causal_convolution(groups, dilation):
    x = noise(1, 8, 7, 4)
    layer = built(layers.CausalConv2D(4, (3, 5), dilation=dilation, groups=groups), x)
    np.testing.assert_allclose(convert_to_numpy(layer(x)), correlated(layer, x), atol=1e-4)


@pytest.mark.parametrize("groups", [1, 4])
def test_strides_skip_bands_or_put_zeros_between(groups):
    x = noise(1, 8, 7, 4)
    layer = built(layers.CausalConv2D(4, (2, 3), stride=2, groups=groups), x)
    expected = correlated(layer, x)[:, :, ::2]
    np.testing.assert_allclose(convert_to_numpy(layer(x)), expected, atol=1e-4)

    layer = built(layers.CausalConv2D(4, (2, 3), stride=2, groups=groups, transposed=True), x)
    spread = np.zeros((1, 8, 13, 4), "float32")
    spread[:, :, ::2] = x
    np.testing.assert_allclose(convert_to_numpy(layer(x)), correlated(layer, spread), atol=1e-4)


def run(cell, x, backwards=False):
    """Run Keras' GRU with a cell over `(batch, steps, channels)`."""
    loop = keras.layers.RNN(cell, return_sequences=True, go_backwards=backwards)
    outputs = convert_to_numpy(loop(x))
    return outputs[:, ::-1] if backwards else outputs


def test_each_group_has_its_gru():
    x = noise(2, 5, 4, 6)
    layer = built(layers.GroupedGRU(4, over="bands", bidirectional=True), x)
    received = convert_to_numpy(layer(x))[:, 3]
    for group in range(2):
        part = x[:, 3, :, 3 * group : 3 * group + 3]
        forwards = run(layer.cells[group], part)
        backwards = run(layer.cells[2 + group], part, backwards=True)
        expected = np.concatenate([forwards, backwards], axis=-1)
        np.testing.assert_allclose(received[..., 2 * group : 2 * group + 2], expected, atol=1e-5)
    turned = layers.GroupedGRU(4, over="frames", bidirectional=True)
    turned(x)
    turned.set_weights(layer.get_weights())
    expected = np.swapaxes(convert_to_numpy(layer(np.swapaxes(x, 1, 2))), 1, 2)
    np.testing.assert_allclose(convert_to_numpy(turned(x)), expected, atol=1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_gates_follow_the_energy():
    x = noise(1, 5, 7, 4)
    layer = built(layers.TemporalAttention(), x)
    energy = np.square(x).mean(axis=2)
    memory = run(layer.recurrent.cells[0], energy)
    gates = sigmoid(memory @ layer.gate.get_weights()[0] + layer.gate.get_weights()[1])
    np.testing.assert_allclose(convert_to_numpy(layer(x))[:, :, 0], gates, atol=1e-5)

    layer = built(layers.FrequencyAttention(3), x)
    energy = np.pad(np.square(x).mean(axis=3), [[0, 0], [0, 0], [0, 2]]).reshape(5, 3, 3)
    forwards, backwards = layer.recurrent.cells
    memory = np.concatenate([run(forwards, energy), run(backwards, energy, True)], axis=-1)
    gates = sigmoid(memory @ layer.gate.get_weights()[0] + layer.gate.get_weights()[1])
    expected = gates.reshape(1, 5, 9)[..., :7]
    np.testing.assert_allclose(convert_to_numpy(layer(x))[..., 0], expected, atol=1e-5)


def test_neighbours_become_channels():
    x = noise(1, 2, 5, 3)
    filled = np.pad(x, [[0, 0], [0, 0], [1, 1], [0, 0]])
    expected = np.stack([filled[:, :, i : i + 5] for i in range(3)], axis=-1).reshape(1, 2, 5, 9)
    np.testing.assert_array_equal(convert_to_numpy(layers.SubbandFeatures()(x)), expected)


def test_affine_prelu_has_a_line_for_each_band():
    x = noise(1, 2, 5, 3)
    layer = built(layers.AffinePReLU(), x)
    gamma, beta, alpha = layer.get_weights()
    expected = gamma * x + beta + np.where(x > 0, x, alpha * x)
    np.testing.assert_allclose(convert_to_numpy(layer(x)), expected, atol=1e-6)


def test_complex_mask():
    mask, spectrum = noise(1, 3, 5, 2, 2), noise(1, 3, 5, 2, 2, seed=1)
    result = convert_to_numpy(layers.ApplyComplexMask()(mask, spectrum))
    product = (mask[..., 0] + 1j * mask[..., 1]) * (spectrum[..., 0] + 1j * spectrum[..., 1])
    np.testing.assert_allclose(result[..., 0] + 1j * result[..., 1], product, atol=1e-6)


def test_erb_filters_share_each_bin_between_two_bands():
    filters = ops.erb_filterbank(512, 16000, 65, 64)
    np.testing.assert_allclose(filters.sum(axis=1), 1, atol=1e-6)
    assert ((filters > 0).sum(axis=1) <= 2).all()
    peaks = 65 + filters.argmax(axis=0)
    assert (peaks[0], peaks[-1]) == (65, 256)
    # Equal steps in ERB: the ratio of frequencies, offset by 229 Hz, is constant up to rounding.
    erb = np.log(1 + 0.00437 * peaks * 16000 / 512)
    assert np.abs(erb - np.linspace(erb[0], erb[-1], 64)).max() < 0.01
    x = noise(1, 2, 257, 3)
    merged = convert_to_numpy(layers.ERBScale(16000)(x))
    np.testing.assert_array_equal(merged[:, :, :65], x[:, :, :65])
    expected = np.einsum("btfc,fe->btec", x[:, :, 65:], filters)
    np.testing.assert_allclose(merged[:, :, 65:], expected, atol=1e-5)
    spread = convert_to_numpy(layers.InverseERBScale(16000)(merged))
    expected = np.einsum("btec,fe->btfc", merged[:, :, 65:], filters)
    np.testing.assert_allclose(spread[:, :, 65:], expected, atol=1e-5)


def refused(message, function, *arguments, **named):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments, **named)
    assert "\n" not in str(caught.value)


def test_refusals():
    x = keras.KerasTensor((1, 5, 7, 4))
    refused("odd number of bands", layers.CausalConv2D, 4, (3, 4))
    refused("expected multiples of groups=3", layers.CausalConv2D(3, (1, 1), groups=3), x)
    refused("odd number of bands", layers.SubbandFeatures, 2)
    refused("multiple of groups=3", layers.ChannelShuffle(3), x)
    refused("over='channels'", layers.GroupedGRU, 4, over="channels")
    refused("expected a multiple of 4", layers.GroupedGRU, 6, bidirectional=True)
    refused("multiple of groups=3", layers.GroupedGRU(6, 3), x)
    refused("size=0", layers.FrequencyAttention, 0)
    refused("two bands on a bin", ops.erb_filterbank, 512, 16000, 10, 200)
    refused("at most 257", ops.erb_filterbank, 512, 16000, 200, 64)
