"""The temporal convolution network against its definition, and its receptive field."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import TemporalConvNet

NORMS = ["global", "cumulative", "layer", "batch"]
CAUSAL = NORMS[1:]
SMALL = {"blocks": 3, "repeats": 2, "bottleneck": 5, "hidden": 6, "skip": 4}


def shaken(layer, x):
    """Set every weight of the layer to random values."""
    layer.build(x.shape)
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        value = convert_to_numpy(weight) + 0.3 * rng.standard_normal(weight.shape)
        weight.assign(np.abs(value) + 0.1 if "variance" in weight.path else value)
    return layer


def numbers(layer):
    return {weight.path.split("/", 1)[1]: convert_to_numpy(weight) for weight in layer.weights}


def normalised(x, gamma, beta, kind):
    """gLN, cLN and frame norms of one example `(frames, features)` in float64."""
    result = np.empty_like(x)
    for t in range(len(x)):
        seen = {"global": x, "cumulative": x[: t + 1], "layer": x[t]}[kind]
        result[t] = (x[t] - seen.mean()) / np.sqrt(seen.var() + 1e-8)
    return result * gamma + beta


def expected(layer, x, kind):
    """Compute the network by loops, from its weights' names."""
    w = {path: value.astype("float64") for path, value in numbers(layer).items()}

    def dense(x, name):
        return x @ w[f"{name}/kernel"] + w[f"{name}/bias"]

    def norm(x, name):
        return normalised(x, w[f"{name}/gamma"], w[f"{name}/beta"], kind)

    def prelu(x, name):
        return np.where(x > 0, x, w[f"{name}/alpha"][0] * x)

    x = dense(norm(x.astype("float64"), "norm"), "bottleneck")
    total = 0
    count = layer.blocks * layer.repeats
    for index in range(count):
        name, dilation = f"block_{index}", 2 ** (index % layer.blocks)
        y = norm(prelu(dense(x, f"{name}/conv"), f"{name}/prelu_0"), f"{name}/norm_0")
        kernel = w[f"{name}/depthwise/kernel"][..., 0]
        reach = (len(kernel) - 1) * dilation
        before = reach if layer.causal else reach // 2
        padded = np.pad(y, ((before, reach - before), (0, 0)))
        taps = [padded[j * dilation : j * dilation + len(y)] * k for j, k in enumerate(kernel)]
        y = sum(taps) + w[f"{name}/depthwise/bias"]
        y = norm(prelu(y, f"{name}/prelu_1"), f"{name}/norm_1")
        total = total + (dense(y, f"{name}/skip") if layer.skip else 0)
        if not (layer.skip and index == count - 1):
            x = x + dense(y, f"{name}/residual")
    return total if layer.skip else x


@pytest.mark.parametrize(
    ("kind", "causal", "changes"),
    [
        ("global", False, {}),
        ("global", False, {"skip": 0, "kernel_size": 5}),
        ("cumulative", True, {"kernel_size": 4}),
        ("cumulative", False, {}),
        ("layer", True, {"skip": 0}),
    ],
)
def test_by_loops(rng, kind, causal, changes):
    x = rng.standard_normal((1, 20, 3)).astype("float32")
    layer = shaken(TemporalConvNet(**{**SMALL, **changes}, norm=kind, causal=causal), x)
    received = convert_to_numpy(layer(x))[0]
    wanted = expected(layer, x[0], kind)
    np.testing.assert_allclose(received, wanted, atol=2e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("norm", [None, *CAUSAL])
def test_causal_networks_do_not_see_ahead(rng, norm):
    x = rng.standard_normal((2, 40, 3)).astype("float32")
    layer = shaken(TemporalConvNet(**SMALL, norm=norm, causal=True), x)
    changed = x.copy()
    changed[:, 25:] = rng.standard_normal((2, 15, 3))
    before, after = convert_to_numpy(layer(x)), convert_to_numpy(layer(changed))
    np.testing.assert_allclose(after[:, :25], before[:, :25], atol=1e-5)
    assert np.abs(after - before)[:, 25].max() > 1e-2


@pytest.mark.parametrize("causal", [False, True])
def test_receptive_field(rng, causal):
    x = rng.standard_normal((1, 121, 3)).astype("float32")
    layer = shaken(TemporalConvNet(**SMALL, norm="batch", causal=causal), x)
    changed = x.copy()
    changed[:, 60] += 1000
    moved = np.abs(convert_to_numpy(layer(changed)) - convert_to_numpy(layer(x)))[0].max(axis=-1)
    seen = np.flatnonzero(moved > 1e-6)
    field = 1 + 2 * 2 * (2**3 - 1)
    assert len(seen) == seen[-1] - seen[0] + 1 == field
    assert seen[0] == (60 if causal else 60 - field // 2)


def test_every_frame_counts_but_not_their_number(rng):
    inputs = keras.Input((None, 7))
    model = keras.Model(inputs, TemporalConvNet(**SMALL)(inputs))
    assert model.output_shape == (None, None, 4)
    for frames in (1, 2, 50):
        x = rng.standard_normal((2, frames, 7)).astype("float32")
        outputs = convert_to_numpy(model(x))
        assert outputs.shape == (2, frames, 4)
        np.testing.assert_allclose(convert_to_numpy(model(x[1:])), outputs[1:], atol=1e-5)
        x[:, -1, 0] += 3
        assert (np.abs(convert_to_numpy(model(x)) - outputs).max(axis=(0, 2)) > 1e-6).all()


def test_size_of_the_published_network():
    """Conv-TasNet's separator without its masks: like asteroid's without the last 1x1."""
    network = TemporalConvNet()
    network.build((None, None, 512))
    block = 128 * 512 + 512 + 512 * 3 + 512 + 2 + 4 * 512 + 2 * (512 * 128 + 128)
    bottleneck = 2 * 512 + 512 * 128 + 128
    assert network.count_params() == bottleneck + 24 * block - (512 * 128 + 128)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"blocks": 0}, "blocks=0"),
        ({"skip": -1}, "skip=-1"),
        ({"norm": "gLN"}, "norm='gLN'"),
        ({"norm": "global", "causal": True}, "causal"),
        ({"kernel_size": 4}, "kernel_size=4"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        TemporalConvNet(**arguments)
