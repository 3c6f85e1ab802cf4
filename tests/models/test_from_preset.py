"""`from_preset`, and what a model knows about its own training."""

import copy

import keras
import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import OpenUnmixLike, SeparationModel, UNetLike
from kerasep.training.waveform_training import fed_waveforms


def tiny():
    return zoo.load("unet_like", False, **zoo.describe("unet_like")["tiny"])


def test_a_preset_of_any_class_and_of_one():
    for cls in (SeparationModel, UNetLike):
        model = cls.from_preset("unet_like/karaoke", sources=["vocals"])
        assert type(model) is UNetLike
        expected = zoo.load("unet_like/karaoke").get_layer("vocals_down1").get_weights()
        np.testing.assert_equal(model.get_layer("vocals_down1").get_weights(), expected)
    assert not UNetLike.from_preset("unet_like/karaoke", weights=False).trained


def test_a_saved_model(tmp_path):
    model = tiny()
    model.save(tmp_path / "model.keras")
    for path in (tmp_path, tmp_path / "model.keras"):
        np.testing.assert_equal(UNetLike.from_preset(path).get_weights(), model.get_weights())
        with pytest.raises(InputError, match=r"for OpenUnmixLike, expected.*use UNetLike.from_pre"):
            OpenUnmixLike.from_preset(path)


def test_a_preset_of_another_class():
    with pytest.raises(InputError, match="received unet_like for OpenUnmixLike"):
        OpenUnmixLike.from_preset("unet_like")
    with pytest.raises(InputError, match="did you mean unet_like"):
        UNetLike.from_preset("unet_lik")


def saved_weights(model, path):
    tiny().save_weights(path / "some.weights.h5")
    model.load_weights(path / "some.weights.h5")


def one_step(model, _path):
    model.compile("sgd", "mse")
    x = np.ones((1, 8, 129, 1), "float32")
    model.train_on_batch(x, np.ones((1, 8, 129, 1, 2), "float32"))


def step_on_waveforms(model, _path):
    one = fed_waveforms(model)
    one(np.ones((1, 2048, 1), "float32"), training=True)


@pytest.mark.parametrize(
    "train",
    [
        saved_weights,
        one_step,
        step_on_waveforms,
        lambda model, path: model.set_weights(tiny().get_weights()),
        lambda model, path: model(np.ones((1, 8, 129, 1), "float32"), training=True),
    ],
)
def test_what_makes_a_model_a_trained_one(train, tmp_path):
    model = tiny()
    model(np.ones((1, 8, 129, 1), "float32"))
    assert not model.trained
    train(model, tmp_path)
    assert model.trained


def test_copies_know_whether_their_weights_are_random(tmp_path):
    model = tiny()
    assert not copy.deepcopy(model).trained
    model.trained = True
    assert copy.deepcopy(model).trained
    assert not keras.models.clone_model(model).trained
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").trained
