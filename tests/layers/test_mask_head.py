"""Heads: order of the reshaped axes, activations, unit norm."""

import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import EmbeddingHead, MaskHead

ACTIVATIONS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "prelu": lambda x: np.where(x > 0, x, 0.25 * x),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "linear": lambda x: x,
}


def dense(head, x):
    """Return the reshaped output of the head's dense layer, in float64."""
    kernel, bias = (convert_to_numpy(weight).astype("float64") for weight in head.dense.weights)
    return (x @ kernel + bias).reshape(*x.shape[:2], head.bins, head.channels, head.depth)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_masks_are_the_reshaped_activated_dense_layer(rng, activation):
    x = rng.standard_normal((2, 5, 7)).astype("float32")
    head = MaskHead(4, 2, 3, activation)
    received = convert_to_numpy(head(x))
    expected = ACTIVATIONS[activation](dense(head, x))
    np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear"])
def test_embeddings_have_length_one(rng, activation):
    x = rng.standard_normal((2, 5, 7)).astype("float32")
    head = EmbeddingHead(4, 2, 6, activation)
    received = convert_to_numpy(head(x))
    expected = ACTIVATIONS[activation](dense(head, x))
    expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["softmax", "prelu"])
def test_sources_may_be_permuted(rng, activation):
    """Permuting the dense layer's outputs permutes the masks and changes nothing else."""
    x = rng.standard_normal((2, 5, 7)).astype("float32")
    head = MaskHead(4, 2, 3, activation)
    masks = convert_to_numpy(head(x))
    order = rng.permutation(3)
    columns = np.arange(24).reshape(8, 3)[:, order].ravel()
    kernel, bias = (convert_to_numpy(weight) for weight in head.dense.weights)
    head.dense.set_weights([kernel[:, columns], bias[columns]])
    np.testing.assert_allclose(convert_to_numpy(head(x)), masks[..., order], atol=1e-6)


SOFTMAX = {
    dtype: MaskHead(4, 2, 3, "softmax", dtype=dtype) for dtype in ("float32", "mixed_bfloat16")
}


@settings(deadline=None, max_examples=20)
@given(
    dtype=st.sampled_from(list(SOFTMAX)),
    level=st.sampled_from([0, 1e-8, 1, 10, 1e4]),
    seed=st.integers(0, 999),
)
def test_softmax_masks_sum_to_one(dtype, level, seed):
    x = level * np.random.default_rng(seed).standard_normal((2, 5, 7))
    masks = convert_to_numpy(SOFTMAX[dtype](x.astype("float32")))
    assert ((masks >= 0) & (masks <= 1)).all()
    np.testing.assert_allclose(masks.sum(axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize("activation", ["softmax", "leaky_relu", "prelu"])
@pytest.mark.parametrize("make", [MaskHead, EmbeddingHead])
def test_saved_and_restored(rng, tmp_path, make, activation):
    x = rng.standard_normal((1, 3, 5)).astype("float32")
    inputs = keras.Input((None, 5))
    model = keras.Model(inputs, make(4, 1, 2, activation)(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(convert_to_numpy(again(x)), convert_to_numpy(model(x)))


@pytest.mark.parametrize("make", [MaskHead, EmbeddingHead])
def test_refusals(make):
    for sizes in ((0, 1, 2), (4, 0, 2), (4, 1, 0)):
        with pytest.raises(InputError, match="at least one of each"):
            make(*sizes)
    with pytest.raises(InputError, match="activation='sigmod'"):
        make(4, 1, 2, "sigmod")
    with pytest.raises(InputError, match="expected \\(batch, frames, features\\)"):
        make(4, 1, 2)(np.zeros((1, 3, 4, 5), "float32"))


def test_a_softmax_needs_two_sources():
    with pytest.raises(InputError, match="softmax over one source"):
        MaskHead(4, 1, 1, "softmax")
