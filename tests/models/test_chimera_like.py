"""Chimera: two heads, a loss for each, and one reference for both."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, zoo
from kerasep.errors import InputError
from kerasep.training import recipes

TINY = zoo.describe("chimera_like")["tiny"]


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return zoo.load("chimera_like", **TINY)


def example(rng, batch=4):
    reference = rng.standard_normal((batch, 9, 129, 1, 3, 2)).astype("float32")
    reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
    reference *= rng.uniform(0.1, 2, (batch, 1, 1, 1, 1, 1)).astype("float32")
    x = np.linalg.norm(reference[..., 0, :], axis=-1)
    return x, {"embedding": reference, "estimates": reference}


def head_losses(model, x, y):
    """Return the loss of each example, for each head."""
    outputs = model(x)
    y = {head: keras.ops.convert_to_tensor(value) for head, value in y.items()}
    mask_loss = losses.PermutationInvariant(losses.TruncatedPhaseSensitive())
    return {
        "embedding": convert_to_numpy(
            losses.WhitenedKMeans().call(y["embedding"], outputs["embedding"])
        ),
        "estimates": convert_to_numpy(mask_loss.call(y["estimates"], outputs["estimates"])),
    }


def test_what_separates_is_the_mask_head(model, rng):
    x, _ = example(rng)
    outputs = model(x)
    assert outputs.keys() == {"embedding", "estimates"}
    estimates = convert_to_numpy(model.estimate(x))
    np.testing.assert_array_equal(estimates, convert_to_numpy(outputs["estimates"]))
    np.testing.assert_allclose(estimates.sum(axis=-1), x, rtol=1e-5)  # softmax


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 2.0, 0.5]])
def test_loss_is_the_weighted_sum_of_the_heads(model, rng, weights):
    """`sample_weight` counts examples in both heads."""
    x, y = example(rng)
    recipes.compile_model(model, model.recipe)
    weights = None if weights is None else np.array(weights, "float32")
    found = model.evaluate(x, y, sample_weight=weights, batch_size=4, verbose=0, return_dict=True)
    each = head_losses(model, x, y)
    share = np.ones(4) if weights is None else weights
    means = {head: (share * values).mean() for head, values in each.items()}
    expected = 0.975 * means["embedding"] + 0.025 * means["estimates"]
    assert found["loss"] == pytest.approx(expected, rel=1e-4)
    assert found["embedding_loss"] == pytest.approx(means["embedding"], rel=1e-4)
    assert found["estimates_loss"] == pytest.approx(means["estimates"], rel=1e-4)


def test_both_heads_train_the_trunk(model, rng):
    x, y = example(rng)
    weight = model.get_layer("recurrent").trainable_weights[0]
    for weights in ({"embedding": 1.0, "estimates": 0.0}, {"embedding": 0.0, "estimates": 1.0}):
        recipes.compile_model(model, {**model.recipe, "loss_weights": weights})
        before = convert_to_numpy(weight)
        model.train_on_batch(x, y)
        assert (convert_to_numpy(weight) != before).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": {"class_name": "WhitenedKMeans", "config": {}}}, "loss .*embedding, estimates"),
        ({"loss": {"embedding": {"class_name": "WhitenedKMeans", "config": {}}}}, "received loss"),
        ({"loss_weights": {"embedding": 1.0}}, "received loss_weights .*embedding, estimates"),
        ({"loss_weights": 0.5}, "received loss_weights 0.5"),
        (
            {"loss": {"embedding": {"class_name": "L7"}, "estimates": "mse"}},
            "recipe with loss .*L7",
        ),
    ],
)
def test_losses_of_other_heads_are_refused(model, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        recipes.compile_model(model, {**model.recipe, **changes})
    assert "\n" not in str(caught.value)
