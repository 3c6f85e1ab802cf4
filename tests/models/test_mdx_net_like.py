import numpy as np
import pytest

from kerasep import models, zoo
from kerasep.errors import InputError
from kerasep.models import MDXNetLike
from kerasep.models.building import build_without_values

SMALL = {"sample_rate": 8000, "n_fft": 64, "hop": 16, "bins": 16, "growth": 2, "levels": 2}
SMALL |= {"bottleneck": 2}


@pytest.mark.parametrize(
    ("name", "count"),
    [("vocals_g32", 7_437_060), ("vocals_g48", 16_708_996), ("bass", 7_437_060)],
)
def test_published_sizes(name, count):
    card = zoo.describe(f"mdx_net_like/{name}")
    model = build_without_values(getattr(models, card["class"]), card["arguments"])
    assert model.count_params() == count


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_group_norms(rng, groups):
    """Over frames, bins and the features of a group, wherever the features are."""
    model = MDXNetLike(**{**SMALL, "growth": 4, "norm_groups": groups})
    x = rng.standard_normal((2, 4, 12, 8)).astype("float32") + 0.5
    parts = x.reshape(2, 4, groups, -1, 8)
    parts = parts - parts.mean((1, 3, 4), keepdims=True)
    expected = (parts / np.sqrt(parts.var((1, 3, 4), keepdims=True) + 1e-5)).reshape(x.shape)
    dense, conv = model.get_layer("lowest_dense_0_norm"), model.get_layer("lowest_0_norm")
    np.testing.assert_allclose(dense(x), expected, atol=1e-5)
    ours = conv(x.transpose(0, 1, 3, 2))
    np.testing.assert_allclose(ours, expected.transpose(0, 1, 3, 2), atol=1e-5)
    # Means and variances are those of the waveform at hand.
    assert len(model.non_trainable_variables) == 0


def passing(**changes):
    """A model whose stem is the mixture in the bins that the network sees."""
    model = MDXNetLike(**{**SMALL, "growth": 4, "levels": 1, "convolutions": 1, **changes})
    for layer in model.layers:
        if "_conv" in layer.name:
            layer.kernel.assign(np.zeros(layer.kernel.shape))
    signs = np.array([[1, 0, -1, 0], [0, 1, 0, -1]])  # of one channel's two parts, for the ReLUs
    model.get_layer("input_conv").kernel.assign(signs.reshape(1, 1, 2, 4))
    model.get_layer("encoder_0_0_conv").kernel.assign(
        np.pad(np.eye(4)[None, None], [(1, 1)] * 2 + [(0, 0)] * 2)
    )
    model.get_layer("up_0_conv").bias.assign(np.ones(4))  # the skip is multiplied by it
    model.get_layer("decoder_0_0_conv").kernel.assign(
        np.pad(np.eye(4)[None, None], [(1, 1)] * 2 + [(0, 0)] * 2)
    )
    model.get_layer("output_conv").kernel.assign(signs.T.reshape(1, 1, 4, 2))
    for name in ("encoder_0", "lowest", "decoder_0"):
        model.get_layer(f"{name}_dense_1").kernel.assign(
            np.zeros(model.get_layer(f"{name}_dense_1").kernel.shape)
        )
    return model


@pytest.mark.parametrize("samples", [5, 240, 1001])
def test_bins_above_are_the_rest(samples, rng):
    """Tones below and above the highest bin that the network sees, and a constant below it."""
    time = np.arange(samples) / 8000
    low, high = np.sin(2 * np.pi * 1000 * time), np.sin(2 * np.pi * 3500 * time)
    mixture = (low + high).astype("float32")[None, :, None]
    model = passing(channels=1, compensate=1.25, muted_bins=3)
    stem, rest = np.moveaxis(model.predict_on_batch(mixture)[0, :, 0], -1, 0)
    np.testing.assert_allclose(rest, mixture[0, :, 0] - stem, atol=1e-6)
    inner = slice(64, -64)
    np.testing.assert_allclose(stem[inner], 1.25 * low[inner], atol=3e-4)


def test_lowest_bins_are_muted():
    mixture = np.ones((1, 560, 1), "float32")
    for muted_bins, heard in ((0, 1), (2, 0)):
        model = passing(channels=1, sources=["vocals"], muted_bins=muted_bins)
        stem = model.predict_on_batch(mixture)
        assert stem.shape == (1, 560, 1, 1)
        np.testing.assert_allclose(stem[0, 64:-64, 0, 0], heard, atol=3e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": ["a", "b", "c"]}, "expected at most 2"),
        ({"bins": 34}, r"received bins=34, expected a multiple of 2 \*\* levels = 4"),
        ({"bins": 64}, r"at most n_fft / 2 \+ 1 = 33"),
        ({"bins": 4}, "at least bottleneck = 2"),
        ({"muted_bins": 16}, "received muted_bins=16, expected 0 to 15"),
        ({"muted_bins": -1}, "received muted_bins=-1"),
        ({"growth": 0}, "received growth=0"),
        ({"levels": 17}, "at most 16 levels"),
        ({"norm_groups": 3}, "received norm_groups=3, expected a divisor of growth=2"),
        ({"norm_groups": 0}, "received norm_groups=0"),
        ({"compensate": 0}, "received compensate=0"),
        ({"compensate": float("nan")}, "received compensate=nan"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        MDXNetLike(**{**SMALL, **changes})
    assert "\n" not in str(caught.value)
