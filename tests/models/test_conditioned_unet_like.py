"""The Conditioned-U-Net: its control network by the equations, and one U-Net for all sources."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import ConditionedUNetLike, UNetLike

SOURCES = ["vocals", "drums", "bass"]
FILTERS = [4, 6, 8]
VARIANTS = pytest.mark.parametrize(
    "variant",
    [{"film": film, "control": c} for film in ("simple", "complex") for c in ("dense", "conv")],
)


def small(**changes):
    settings = {"sample_rate": 8000, "n_fft": 128, "hop": 32, "filters": FILTERS}
    return ConditionedUNetLike(**{"sources": SOURCES, "units": [5, 7], **settings, **changes})


def shaken(model):
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if "seed" in weight.path:
            continue
        noise = 0.2 * rng.standard_normal(weight.shape)
        start = convert_to_numpy(weight)
        weight.assign(start + (np.abs(noise) if "variance" in weight.path else noise))
    return model


def values(layer):
    return [convert_to_numpy(weight).astype("float64") for weight in layer.weights]


def control(model):
    """Compute gammas and betas of each source, in float64."""
    gammas, betas = [], []
    for wanted in np.eye(len(model.sources)):
        x = wanted[:, None] if model.control == "conv" else wanted
        for index in range(len(model.units)):
            kernel, bias = values(model.get_layer(f"control{index + 1}"))
            if model.control == "dense":
                x = x @ kernel
            else:
                # The size of the kernel is the number of sources; the last one leaves one value.
                before = (len(kernel) - 1) // 2
                if index < len(model.units) - 1:
                    x = np.pad(x, ((before, len(kernel) - 1 - before), (0, 0)))
                places = range(len(x) - len(kernel) + 1)
                x = np.stack(
                    [np.einsum("kc,kcf->f", x[p : p + len(kernel)], kernel) for p in places]
                )
            x = np.maximum(x + bias, 0)
            if index:
                scale, shift, mean, variance = values(model.get_layer(f"control{index + 1}_norm"))
                x = scale * (x - mean) / np.sqrt(variance + 1e-3) + shift
        x = x.reshape(-1)
        for name, found in [("gammas", gammas), ("betas", betas)]:
            kernel, bias = values(model.get_layer(name))
            found.append(x @ kernel + bias)
    return np.stack(gammas), np.stack(betas)


@VARIANTS
def test_control_by_its_equations(rng, variant):
    """The gammas and betas of every source, and their effect on each block."""
    model = shaken(small(**variant))
    names = [f"{kind}{depth}" for depth in (1, 2, 3) for kind in ("down", "film")]
    probe = keras.Model(
        model.input, [model.get_layer(name).output for name in ["gammas", "betas", *names]]
    )
    gammas, betas, *found = probe.predict_on_batch(rng.random((2, 21, 65, 1), "float32"))
    expected = control(model)
    for received, wanted in [(gammas, expected[0]), (betas, expected[1])]:
        np.testing.assert_allclose(received, np.tile(wanted, (2, 1)), atol=1e-5)
    widths = [1, 1, 1] if variant["film"] == "simple" else FILTERS
    assert gammas.shape == betas.shape == (6, sum(widths))
    first = 0
    for depth, width in enumerate(widths):
        normed, modulated = found[2 * depth : 2 * depth + 2]
        part = slice(first, first + width)
        gamma, beta = gammas[:, None, None, part], betas[:, None, None, part]
        np.testing.assert_allclose(modulated, gamma * normed + beta, atol=1e-5)
        first += width


@VARIANTS
def test_without_a_condition_it_is_the_u_net(rng, variant):
    """With gammas of 1 and betas of 0 the U-Net is the same for every source."""
    model = shaken(small(**variant))
    for name in ("gammas", "betas"):
        layer = model.get_layer(name)
        layer.kernel.assign(np.zeros(layer.kernel.shape))
        layer.bias.assign(np.full(layer.bias.shape, float(name == "gammas")))
    alone = UNetLike(["x"], 8000, n_fft=128, hop=32, filters=FILTERS)
    for name in ("down1", "down2", "down3", "up2", "up1", "mask"):
        alone.get_layer(f"x_{name}").set_weights(model.get_layer(name).get_weights())
    magnitude = rng.random((2, 21, 65, 1), "float32")
    expected = np.repeat(alone.predict_on_batch(magnitude), 3, axis=-1)
    np.testing.assert_allclose(model.predict_on_batch(magnitude), expected, atol=1e-5)


def test_the_condition_makes_the_difference(rng):
    outputs = shaken(small()).predict_on_batch(rng.random((1, 21, 65, 1), "float32"))
    for one, other in [(0, 1), (1, 2), (0, 2)]:
        assert np.abs(outputs[..., one] - outputs[..., other]).max() > 1e-3


@pytest.mark.parametrize(
    ("preset", "gammas", "size"),
    [
        ("simple", 6, 22_172),
        ("complex", 1008, 2_339_120),
        ("simple_conv", 6, 11_580),
        ("complex_conv", 1008, 593_600),
    ],
)
def test_sizes_of_the_published_variants(preset, gammas, size):
    """The control network has the weights of the authors' layers. Four sources need no others."""
    model = zoo.load(f"conditioned_unet_like/{preset}")
    assert model.get_layer("gammas").units == gammas
    u_net = UNetLike(["vocals"])
    assert model.count_params() == u_net.count_params() + size
    more = zoo.load(f"conditioned_unet_like/{preset}", sources=["vocals", "drums"])
    assert model.count_params() - more.count_params() < 60_000


def test_refusals():
    for changes, message in [
        ({"film": "both"}, "film='both'"),
        ({"control": "lstm"}, "control='lstm'"),
        ({"units": []}, r"units=\[\]"),
        ({"filters": []}, r"filters=\[\]"),
    ]:
        with pytest.raises(InputError, match=message):
            small(**changes)
