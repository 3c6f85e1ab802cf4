"""FiLM by its equation, and sources from the batch axis to their own axis."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import FiLM, UnfoldSources


@pytest.mark.parametrize("width", [1, 5])
def test_film_by_its_equation(rng, width):
    """gamma_c F_c + beta_c, in float64; one of each for all channels, or one for each."""
    x = rng.standard_normal((3, 7, 6, 5)).astype("float32")
    gamma, beta = rng.standard_normal((2, 3, width)).astype("float32")
    expected = np.zeros(x.shape)
    for example, channel in np.ndindex(3, 5):
        factor = gamma[example, channel % width].astype("float64")
        term = beta[example, channel % width].astype("float64")
        expected[example, ..., channel] = factor * x[example, ..., channel] + term
    np.testing.assert_allclose(convert_to_numpy(FiLM()(x, gamma, beta)), expected, atol=1e-6)


def test_sources_of_an_example_lie_next_to_each_other(rng):
    x = rng.standard_normal((6, 4, 5, 2)).astype("float32")
    unfolded = convert_to_numpy(UnfoldSources(3)(x))
    for example, source in np.ndindex(2, 3):
        np.testing.assert_array_equal(unfolded[example, ..., source], x[3 * example + source])


def test_refusals():
    with pytest.raises(InputError, match="count=0"):
        UnfoldSources(0)
    with pytest.raises(InputError, match="a batch of 4, expected a multiple of 3"):
        UnfoldSources(3).compute_output_shape((4, 5, 6, 1))
