import numpy as np

from kerasep import separate
from kerasep.separation.chunks import ChunkSeparator
from kerasep.separation.polarity import both_polarities

# Of each of two sources: what is odd in the mixture stays, what is even cancels.
ODD = np.array([0.7, -0.2])
EVEN = np.array([0.4, 0.9])


def polynomial(x):
    x = np.asarray(x)[..., None]
    return ODD * (x + x**3) + EVEN * (1 + x**2)


def separator(process=polynomial, **changes):
    return ChunkSeparator(process, ("a", "b"), 8000, 1, 400, 100)._replace(**changes)


def noise(samples):
    return np.random.default_rng(samples).standard_normal((samples, 1)).astype("float32")


def test_what_is_even_in_the_waveform_cancels():
    mixture = noise(1001)
    stems = separate(separator(), mixture, both_polarities=True)
    for name, share in zip("ab", ODD, strict=True):
        np.testing.assert_allclose(stems[name], share * (mixture + mixture**3), atol=1e-5)
    alone = separate(separator(), mixture)
    assert np.abs(alone["a"] - stems["a"]).max() > 0.4


def test_each_member_of_an_ensemble_hears_both():
    mixture = noise(1001)
    biased = separator(lambda x: polynomial(x) + 5)
    stems = separate([separator(), biased], mixture, weights=[1, 3], both_polarities=True)
    np.testing.assert_allclose(stems["b"], ODD[1] * (mixture + mixture**3), atol=1e-5)


def test_interchangeable_sources_of_the_negative_are_put_into_order():
    """The network swaps its sources for every group that begins with a negative sample."""

    def swapping(batch):
        shares = np.stack([0.8 * batch, 0.2 * batch**3], -1)
        return np.stack(
            [y if x[0, 0] > 0 else y[..., ::-1] for x, y in zip(batch, shares, strict=True)]
        )

    mixture = np.stack([noise(300), -noise(300)])
    mixture[:, 0] = [[1.0], [-1.0]]
    found = both_polarities(separator(swapping, interchangeable=True)).process(mixture)
    np.testing.assert_allclose(found, swapping(mixture), rtol=1e-6)
    unordered = both_polarities(separator(swapping)).process(mixture)
    np.testing.assert_allclose(unordered[..., 0], unordered[..., 1], rtol=1e-6)
