"""Invalid numbers in weights raise errors with the weight's name."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import Separator
from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.layers import Whitening
from kerasep.models import DemucsLike, weight_values


def refused(variable, value, message):
    with pytest.raises(InputError, match=message):
        weight_values.check("a.pth", [("theirs", variable, np.array(value))])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39, -1e39])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_not_finite(value, dtype):
    variable = keras.Variable([1.0, 2.0, 3.0], dtype=dtype)
    refused(variable, [1.0, value, 2.0], "a.pth holds theirs with 1 of 3 numbers that are not fin")


def test_beyond_the_variables_type():
    refused(keras.Variable([1.0], dtype="float16"), [1e5], "not finite")
    weight_values.check("a", [("theirs", keras.Variable([1.0]), np.array([1e5]))])


def test_statistics():
    norm = keras.layers.BatchNormalization()
    norm.build((None, 2))
    refused(norm.moving_variance, [1.0, -1e-9], "theirs with a variance of -1e-09")
    weight_values.check("a", [("theirs", norm.moving_variance, np.array([1.0, 0.0]))])
    weight_values.check("a", [("theirs", norm.moving_mean, np.array([1.0, -2.0]))])
    whitening = Whitening()
    whitening.build((None, 3, 2, 1))
    refused(whitening.deviation, [1.0, 0.0], "theirs with a deviation of 0")


@pytest.mark.parametrize("dtype", ["complex64", "?", "S3", "O"])
def test_arrays_of_other_things(dtype):
    gain = keras.Variable([0.0, 0.0])
    with pytest.raises(InputError, match=r"1 not of real numbers \(gain\)"):
        weight_map.assign("a.pth", [weight_map.same("gain", gain)], {"gain": np.ones(2, dtype)})


def test_nothing_is_set_when_the_last_is_wrong():
    first, second = keras.Variable([0.0]), keras.Variable([0.0])
    slots = [weight_map.same("first", first), weight_map.same("second", second)]
    with pytest.raises(InputError, match=r"a\.pth holds second with"):
        weight_map.assign("a.pth", slots, {"first": np.ones(1), "second": np.array([np.nan])})
    assert convert_to_numpy(first) == 0


def test_no_model_is_built_that_the_file_has_no_weights_for():
    with pytest.raises(
        InputError, match=r"a\.th: received 7 numbers, expected the \d+ of a Demucs"
    ):
        weight_map.build("a.th", DemucsLike, {"filters": 2000, "levels": 3}, [np.ones(7)])
    with pytest.raises(InputError, match=r"a\.th: received filters=1000000000"):
        weight_map.build("a.th", DemucsLike, {"filters": 10**9}, [np.ones(7)])


def test_a_model_that_diverged_separates_nothing():
    model = DemucsLike(["a"], 8000, 1, filters=4, levels=2, lstm_layers=0)
    layer = model.get_layer("encoder_1_conv")
    layer.bias.assign(np.full(8, np.nan))
    with pytest.raises(InputError, match="demucs_like holds encoder_1_conv/bias with 8 of 8"):
        Separator(model)
