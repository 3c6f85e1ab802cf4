"""Wave-U-Net: its published size and shapes, its context, and its outputs."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import WaveUNetLike
from kerasep.models.wave_unet_like import valid_lengths


def small(**changes):
    settings = {"sample_rate": 8000, "channels": 1, "filters": 4, "levels": 3}
    return WaveUNetLike(**{**settings, "kernel_size": 5, "merge_kernel_size": 3, **changes})


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [
        ("m1", 10_263_028),
        ("m3", 10_263_002),
        ("m4", 10_263_390),
        ("m5", 10_265_550),
        ("m6", 10_263_498),
    ],
)
def test_size_and_layers(preset, parameters):
    """Twelve levels of 24 to 288 features, 312 at the bottom, kernels of 15 and 5 samples.

    M1 has one output more than M3, of 24 features and the mixture.
    """
    model = zoo.load(f"wave_unet_like/{preset}")
    assert model.count_params() == parameters
    for level in range(1, 13):
        below = model.channels if level == 1 else 24 * (level - 1)
        assert model.get_layer(f"down_{level}").kernel.shape == (15, below, 24 * level)
        assert model.get_layer(f"up_{level}").kernel.shape == (5, 24 * (2 * level + 1), 24 * level)
    assert model.get_layer("bottom").kernel.shape == (15, 288, 312)


def test_context_of_the_published_network():
    """For 16,389 samples the paper's network takes 147,443."""
    taken, given = valid_lengths(12, 15, 5, True)
    assert (taken + 4 * 4096, given + 4 * 4096) == (147_443, 16_389)


@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize("learned", [False, True])
def test_any_length(rng, context, learned):
    model = small(context=context, learned_upsampling=learned)
    for samples in (1, 7, 64, 501):
        mixture = 0.1 * rng.standard_normal((2, samples, 1)).astype("float32")
        estimates = convert_to_numpy(model(mixture))
        assert estimates.shape == (2, samples, 1, 2)
        assert estimates[..., 0].any()
        np.testing.assert_allclose(estimates.sum(axis=-1), mixture, atol=1e-6)


def test_with_context_every_place_is_treated_alike(rng):
    """Shifting the mixture by a step of the lowest level shifts the outputs."""
    x = 0.1 * rng.standard_normal((1, 400, 1)).astype("float32")
    later = np.concatenate([0.1 * rng.standard_normal((1, 8, 1)).astype("float32"), x], axis=1)
    for context in (True, False):
        model = small(context=context)
        # Of equal length, so that both get the same padding.
        first = model.predict_on_batch(np.pad(x, [[0, 0], [0, 8], [0, 0]]))
        second = model.predict_on_batch(later)
        inner = slice(150, 250)
        np.testing.assert_allclose(second[:, 8:][:, inner], first[:, inner], atol=1e-5)
    # The mixture is surrounded by silence anyway: more of it changes nothing.
    model = small()
    wide = model.predict_on_batch(np.pad(x, [[0, 0], [64, 64], [0, 0]]))
    np.testing.assert_allclose(wide[:, 64:-64], model.predict_on_batch(x), atol=1e-5)


def test_the_last_source_is_what_the_others_leave(rng):
    model = small(sources=["a", "b", "c"], channels=2)
    mixture = 0.1 * rng.standard_normal((1, 100, 2)).astype("float32")
    estimates = model.predict_on_batch(mixture)
    np.testing.assert_allclose(estimates.sum(axis=-1), mixture, atol=1e-6)
    direct = small(sources=["a", "b", "c"], channels=2, difference=False)
    assert np.abs(direct.predict_on_batch(mixture).sum(axis=-1) - mixture).max() > 0.01
    assert len(direct.weights) == len(model.weights) + 2


def test_outputs_are_bounded(rng):
    model = small(difference=False)
    model.get_layer("vocals_output").bias.assign([50.0])
    estimates = model.predict_on_batch(rng.standard_normal((1, 100, 1)).astype("float32"))
    np.testing.assert_array_equal(estimates[..., 1], 1)


def test_learned_interpolation_starts_as_the_mean(rng):
    mean, learned = small(), small(learned_upsampling=True)
    shares = [layer.share for layer in learned.layers if hasattr(layer, "share")]
    assert [share.shape for share in shares] == [(16,), (12,), (8,)]
    others = iter(mean.get_weights())
    for weight in learned.weights:
        weight.assign(convert_to_numpy(weight) if "share" in weight.path else next(others))
    mixture = 0.1 * rng.standard_normal((1, 100, 1)).astype("float32")
    np.testing.assert_allclose(
        learned.predict_on_batch(mixture), mean.predict_on_batch(mixture), atol=1e-6
    )


@pytest.mark.parametrize("arguments", [{"levels": 0}, {"filters": 0}, {"sources": ["vocals"]}])
def test_refusals(arguments):
    with pytest.raises(InputError, match="received"):
        small(**arguments)


def convolved(x, layer, slope=0.2):
    """Compute a valid convolution of `(samples, features)` and a leaky ReLU, term by term."""
    kernel, bias = map(convert_to_numpy, (layer.kernel, layer.bias))
    samples = len(x) - len(kernel) + 1
    y = bias + sum(x[tap : tap + samples] @ kernel[tap] for tap in range(len(kernel)))
    return np.maximum(slope * y, y)


def middle(x, like):
    start = (len(x) - len(like)) // 2
    return x[start : start + len(like)]


@pytest.mark.parametrize("learned", [False, True])
def test_equal_to_the_papers_steps(rng, learned):
    """The input has a valid length of the network, without our padding."""
    model = small(channels=2, learned_upsampling=learned)
    for weight in model.weights:
        weight.assign(0.3 * rng.standard_normal(weight.shape))
    given = valid_lengths(3, 5, 3, True)[1] + 2**3
    mixture = rng.standard_normal((1, given, 2)).astype("float32")
    estimates = model.predict_on_batch(mixture)[0]

    padded = convert_to_numpy(model.get_layer("pad")(mixture))[0]
    x, skips = padded, []
    for level in (1, 2, 3):
        skips.append(convolved(x, model.get_layer(f"down_{level}")))
        x = skips[-1][::2]
    x = convolved(x, model.get_layer("bottom"))
    for level in (3, 2, 1):
        share = 0.5
        if learned:
            share = 1 / (1 + np.exp(-convert_to_numpy(model.get_layer(f"between_{level}").share)))
        between = np.zeros((2 * len(x) - 1, x.shape[1]))
        between[::2] = x
        between[1::2] = share * x[:-1] + (1 - share) * x[1:]
        x = np.concatenate([middle(skips.pop(), between), between], axis=1)
        x = convolved(x, model.get_layer(f"up_{level}"))
    assert len(x) == given
    x = np.concatenate([middle(padded, x), x], axis=1)
    first = np.tanh(convolved(x, model.get_layer("accompaniment_output"), slope=1.0))
    np.testing.assert_allclose(estimates[..., 0], first, atol=1e-5)
    np.testing.assert_allclose(estimates[..., 1], mixture[0] - first, atol=1e-5)
