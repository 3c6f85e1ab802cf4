"""Losses of embeddings against their formulas with whole affinity matrices, in float64."""

import resource

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import losses
from kerasep.errors import InputError

CLASSES = [
    losses.DeepClustering,
    losses.WhitenedKMeans,
    losses.LinearDiscriminant,
    losses.GraphLaplacian,
]
SHAPE = (2, 7, 5, 2)


def example(rng, sources=3, complete=True, size=4):
    """A reference and a positive embedding of unit norm."""
    reference = rng.standard_normal((*SHAPE, 1 + sources, 2))
    if complete:
        reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
    embedding = rng.random((*SHAPE, size)) + 0.05
    embedding /= np.linalg.norm(embedding, axis=-1, keepdims=True)
    return reference.astype("float32"), embedding.astype("float32")


def points(reference, embedding, weights):
    """Embeddings, one-hot sources and weights of one example's points, in float64."""
    spectra = reference[..., 0].astype("float64") + 1j * reference[..., 1]
    stems = np.concatenate(
        [spectra[..., 1:], spectra[..., :1] - spectra[..., 1:].sum(axis=-1, keepdims=True)], axis=-1
    )
    dominant = np.eye(stems.shape[-1])[np.abs(stems).argmax(axis=-1)]
    level = np.abs(spectra[..., 0])
    level = {
        "none": np.ones_like(level),
        "magnitude": level,
        "magnitude_ratio": level / level.mean(),
    }[weights]
    size = embedding.shape[-1]
    return embedding.reshape(-1, size), dominant.reshape(-1, dominant.shape[-1]), level.ravel()


def formula(cls, v, y, w):
    y = y[:, (w[:, None] * y).sum(axis=0) > 0]
    root = np.sqrt(w)[:, None]
    if cls is losses.DeepClustering:
        return (np.outer(w, w) * (v @ v.T - y @ y.T) ** 2).mean()
    if cls is losses.WhitenedKMeans:
        v, y = root * v, root * y
        total = v.T @ v + 1e-5 * np.trace(v.T @ v) * np.eye(v.shape[1])
        between = v.T @ y @ np.linalg.inv(y.T @ y) @ y.T @ v
        return v.shape[1] - np.trace(np.linalg.inv(total) @ between)
    if cls is losses.LinearDiscriminant:
        means = np.linalg.inv(y.T @ (w[:, None] * y)) @ y.T @ (w[:, None] * v)
        mean = (w[:, None] * v).sum(axis=0) / w.sum()
        return (root * (v - y @ means) ** 2 * root).sum() / (root * (v - mean) ** 2 * root).sum()
    of_pairs = [(root * a) @ (root * a).T for a in (v, y)]
    # A point of weight 2 counts as two points in the degrees as well.
    degrees = [(a @ a.T) @ w for a in (v, y)]
    normalized = [p / np.sqrt(np.outer(d, d)) for p, d in zip(of_pairs, degrees, strict=True)]
    return ((normalized[0] - normalized[1]) ** 2).sum()


@pytest.mark.parametrize("weights", ["none", "magnitude", "magnitude_ratio"])
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("cls", CLASSES)
def test_formula(rng, cls, complete, weights):
    reference, embedding = example(rng, complete=complete)
    received = convert_to_numpy(cls(weights, reduction=None)(reference, embedding))
    pairs = zip(reference, embedding, strict=True)
    expected = [formula(cls, *points(*pair, weights)) for pair in pairs]
    np.testing.assert_allclose(received, expected, rtol=2e-4)


def masks(similarity, heard, activation):
    if activation == "sigmoid":
        return heard / (1 + np.exp(-similarity))
    exponential = np.exp(similarity - similarity.max()) * heard
    return exponential / exponential.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("weights", ["none", "magnitude_ratio"])
@pytest.mark.parametrize(("p", "activation"), [(1, "softmax"), (2, "softmax"), (2, "sigmoid")])
def test_deep_attractor(rng, weights, p, activation):
    reference, embedding = example(rng)
    reference[..., 2, :] *= 1e-3  # the loudest nowhere: no attractor
    reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
    received = convert_to_numpy(
        losses.DeepAttractor(p, weights, activation, reduction=None)(reference, embedding)
    )
    for i in range(2):
        v, y, w = points(reference[i], embedding[i], weights)
        counts = (w[:, None] * y).sum(axis=0)
        assert counts[1] == 0
        attractors = (w[:, None] * y).T @ v / np.maximum(counts, 1e-9)[:, None]
        levels = np.linalg.norm(reference[i].astype("float64"), axis=-1).reshape(-1, 4)
        estimate = masks(v @ attractors.T, counts > 0, activation)[:, :3] * levels[:, :1]
        expected = (np.abs(estimate - levels[:, 1:]) ** p).mean()
        np.testing.assert_allclose(received[i], expected, rtol=1e-4)


def test_deep_attractor_of_sources_that_share_no_bin(rng):
    reference, _ = example(rng, sources=2)
    loud = rng.integers(0, 2, SHAPE)
    reference[..., 1:, :] *= np.eye(2)[loud][..., None]
    reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
    embedding = 10 * np.eye(4, dtype="float32")[loud]
    assert convert_to_numpy(losses.DeepAttractor()(reference, embedding)) < 1e-4


@pytest.mark.parametrize(
    ("cls", "least"),
    [(losses.DeepClustering, 0), (losses.LinearDiscriminant, 0), (losses.GraphLaplacian, 0)],
)
def test_perfect(rng, cls, least):
    reference, _ = example(rng, sources=2)
    spectra = np.linalg.norm(reference[..., 1:, :], axis=-1)
    embedding = np.eye(4, dtype="float32")[spectra.argmax(axis=-1)]
    np.testing.assert_allclose(convert_to_numpy(cls()(reference, embedding)), least, atol=1e-5)


def test_perfect_whitened(rng):
    reference, _ = example(rng, sources=2)
    spectra = np.linalg.norm(reference[..., 1:, :], axis=-1)
    embedding = np.eye(2, dtype="float32")[spectra.argmax(axis=-1)]
    received = convert_to_numpy(losses.WhitenedKMeans()(reference, embedding))
    np.testing.assert_allclose(received, 0, atol=1e-3)


@pytest.mark.parametrize("cls", [*CLASSES, losses.DeepAttractor])
@settings(max_examples=8, deadline=None)
@given(order=st.permutations([1, 2, 3]), seed=st.integers(0, 1000))
def test_blind_to_the_order_of_sources_and_to_rotation(cls, order, seed):
    rng = np.random.default_rng(seed)
    reference, embedding = example(rng)
    rotation, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    if cls is losses.DeepAttractor:
        rotation = np.eye(4)  # its masks are compared with sources in their order ...
        other = cls()(reference[..., [0, *order], :], embedding)  # ... which both sides share
    else:
        other = cls()(reference[..., [0, *order], :], (embedding @ rotation).astype("float32"))
    expected = convert_to_numpy(cls()(reference, embedding))
    np.testing.assert_allclose(convert_to_numpy(other), expected, rtol=1e-3)


@settings(max_examples=8, deadline=None)
@given(level=st.floats(1e-3, 1e3), seed=st.integers(0, 1000))
def test_level_of_the_mixture(level, seed):
    reference, embedding = example(np.random.default_rng(seed))
    louder = (level * reference).astype("float32")
    for cls in CLASSES:
        expected = convert_to_numpy(cls()(reference, embedding))
        received = convert_to_numpy(cls()(louder, embedding))
        np.testing.assert_allclose(received, expected, rtol=1e-3)
    loss = losses.DeepClustering("magnitude")
    expected = level**2 * convert_to_numpy(loss(reference, embedding))
    np.testing.assert_allclose(convert_to_numpy(loss(louder, embedding)), expected, rtol=1e-3)


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(0.01, 100), seed=st.integers(0, 1000))
def test_whitening_undoes_linear_maps(scale, seed):
    rng = np.random.default_rng(seed)
    reference, embedding = example(rng)
    mapped = (scale * embedding @ (np.eye(4) + 0.1 * rng.random((4, 4)))).astype("float32")
    loss = losses.WhitenedKMeans()
    expected = convert_to_numpy(loss(reference, embedding))
    np.testing.assert_allclose(convert_to_numpy(loss(reference, mapped)), expected, rtol=5e-3)


@pytest.mark.parametrize("cls", CLASSES)
def test_memory_grows_with_the_points_not_their_square(cls, rng, gradients):
    shape = (1, 200, 128, 1)  # pairs of points in float32 would take 2.6 GB
    reference = rng.standard_normal((*shape, 3, 2)).astype("float32")
    embedding = rng.random((*shape, 4)).astype("float32")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    value, _ = gradients(cls(), reference, embedding)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
    # Two copies of the same points have the loss of one.
    half = convert_to_numpy(cls()(reference[:, :100], embedding[:, :100]))
    twice = [np.concatenate([x[:, :100]] * 2, axis=1) for x in (reference, embedding)]
    np.testing.assert_allclose(convert_to_numpy(cls()(*twice)), half, rtol=1e-4)
    np.testing.assert_allclose(value, half, rtol=0.05)


def test_one_column_cannot_tell_the_rest_apart(rng):
    """The target needs one column per source, not a single column for one source."""
    y = np.eye(3)[rng.integers(0, 3, 60)]
    affinity = y @ y.T
    one = y[:, :1] @ y[:, :1].T
    rest = y[:, 0] == 0
    assert not one[np.ix_(rest, rest)].any()
    assert affinity[np.ix_(rest, rest)].any()


def test_unknown_weights():
    with pytest.raises(InputError, match=r"'loud'.*magnitude_ratio"):
        losses.DeepClustering("loud")
    with pytest.raises(InputError, match=r"'loud'.*magnitude_ratio"):
        losses.DeepAttractor(weights="loud")
    with pytest.raises(InputError, match=r"'relu'.*softmax"):
        losses.DeepAttractor(activation="relu")


def test_chimera(rng):
    """Two heads share one reference and have a loss each, by name."""
    inputs = keras.Input((None, 5, 2))
    features = keras.layers.Reshape((-1, 10))(inputs)
    hidden = keras.layers.Dense(16, "relu")(features)
    embedding = keras.layers.Dense(5 * 2 * 4, "sigmoid")(hidden)
    embedding = keras.layers.Reshape((-1, 5, 2, 4))(embedding)
    embedding = keras.layers.UnitNormalization(axis=-1, name="embedding")(embedding)
    masks = keras.layers.Dense(5 * 2 * 2, "sigmoid")(hidden)
    masks = keras.layers.Reshape((-1, 5, 2, 2))(masks)
    masked = keras.layers.Multiply(name="sources")(
        [masks, keras.layers.Reshape((-1, 5, 2, 1))(inputs)]
    )
    model = keras.Model(inputs, {"embedding": embedding, "sources": masked})
    model.compile(
        keras.optimizers.Adam(0.01),
        loss={
            "embedding": losses.DeepClustering(),
            "sources": losses.PermutationInvariant(losses.TruncatedPhaseSensitive()),
        },
        loss_weights={"embedding": 0.975, "sources": 0.025},
    )
    reference, _ = example(rng, sources=2)
    reference = np.repeat(reference, 4, axis=0)
    mixture = np.linalg.norm(reference[..., 0, :], axis=-1)
    targets = {"embedding": reference, "sources": reference}
    history = model.fit(mixture, targets, epochs=15, verbose=0).history
    assert history["loss"][-1] < 0.95 * history["loss"][0]
    assert {"embedding_loss", "sources_loss"} < history.keys()
