import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError


@pytest.mark.parametrize("samples", [1, 5, 6, 7, 20, 21])
def test_padding_serves_every_sample_with_the_fewest_steps(rng, samples):
    step, least, reach = 4, 11, 6
    x = rng.standard_normal((2, samples, 3)).astype("float32")
    padded = convert_to_numpy(ops.center_pad(x, step, least, reach))
    steps, rest = divmod(padded.shape[1] - least, step)
    assert rest == 0
    assert reach + step * steps >= samples
    assert steps == 0 or reach + step * (steps - 1) < samples
    before = (padded.shape[1] - samples) // 2
    np.testing.assert_array_equal(padded[:, before : before + samples], x)
    assert np.abs(padded).sum() == pytest.approx(np.abs(x).sum(), rel=1e-6)


@pytest.mark.parametrize("samples", [1, 2, 8, 9])
def test_cropping_undoes_padding(rng, samples):
    x = rng.standard_normal((1, samples, 2)).astype("float32")
    padded = ops.center_pad(x, 8, 8, 8)
    np.testing.assert_array_equal(convert_to_numpy(ops.center_crop(padded, x)), x)


def test_the_longer_to_cut_to():
    with pytest.raises(InputError, match="received 3 samples to cut to 4"):
        ops.center_crop(np.zeros((1, 3, 1)), np.zeros((1, 4, 1)))
