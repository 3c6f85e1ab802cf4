import h5py
import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import wavenet
from kerasep.models import WavenetLike
from tests.models.wavenet_original import original, save_as_keras_2


def small(**changes):
    settings = {"filters": 4, "blocks": 2, "repeats": 2, "final_filters": (6, 5)}
    return WavenetLike(**{**settings, **changes})


@pytest.fixture(scope="module")
def theirs():
    keras.utils.set_random_seed(0)
    return original(40, 4, 2, 2, (6, 5), 1)[0]


@pytest.fixture
def checkpoint(theirs, tmp_path):
    save_as_keras_2(theirs, tmp_path / "checkpoint.hdf5")
    return tmp_path / "checkpoint.hdf5"


def refused(message, *arguments):
    model = arguments[0]
    before = model.get_weights()
    with pytest.raises(InputError, match=message) as caught:
        wavenet.load(*arguments)
    assert "\n" not in str(caught.value)
    for value, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)


def kernel(model, name):
    return convert_to_numpy(model.get_layer(name).kernel)


def test_weights_alone_or_of_a_whole_model(theirs, checkpoint, tmp_path):
    save_as_keras_2(theirs, tmp_path / "weights.hdf5", whole=False)
    whole = importers.load(small(), checkpoint)
    assert whole.trained
    alone = importers.load(small(), tmp_path / "weights.hdf5")
    for one, other in zip(whole.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    last = kernel(theirs, "res_4_dilated_conv_d2_s1")
    np.testing.assert_array_equal(kernel(whole, "block_3_conv"), last)


def test_flipped_kernels(theirs, checkpoint):
    model = wavenet.load(small(), checkpoint, flip_kernels=True)
    np.testing.assert_array_equal(kernel(model, "final_0"), kernel(theirs, "conv1d_5")[::-1])
    np.testing.assert_array_equal(kernel(model, "outputs"), kernel(theirs, "conv1d_7")[0])


def test_what_does_not_fit(checkpoint, tmp_path):
    four = ["vocals", "drums", "bass", "other"]
    refused("2 of another shape .conv1d_7/kernel", small(sources=four), checkpoint)
    refused("1 missing .conv1d_5/bias.; 5 not expected", small(repeats=1), checkpoint)
    refused("missing .initial_causal_conv/kernel", small(), empty(tmp_path))
    refused("not a file", small(), tmp_path / "none.hdf5")
    (tmp_path / "text.hdf5").write_text("text")
    refused("received weights", small(), tmp_path / "text.hdf5")


def empty(folder):
    with h5py.File(folder / "empty.hdf5", "w"):
        return folder / "empty.hdf5"
