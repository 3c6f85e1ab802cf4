"""Weights are found where training scripts leave them, under the names that wrappers make."""

import pathlib

import keras
import numpy as np
import pytest

from kerasep.importers import open_unmix
from kerasep.importers.state_dicts import PLACES, without_wrappers
from kerasep.importers.torch_file import read_checkpoint, read_state_dict

VOCALS = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix" / "vocals-0a1b2c3d.pth"
ONE, TWO = (np.full(2, value, "float32") for value in (1, 2))


@pytest.mark.parametrize("place", PLACES)
def test_weights_are_read_from_their_place(write_checkpoint, place):
    item = {"epoch": 3, "loss": TWO, "optimizer": {"w": TWO}, place: {"w": ONE, "decay": 0.999}}
    read = read_state_dict(write_checkpoint("a.pth", item))
    np.testing.assert_equal(read, {"w": ONE})


def test_weights_two_keys_deep(write_checkpoint):
    path = write_checkpoint("a.pth", {"ema": {"shadow": {"w": ONE}, "decay": TWO}})
    np.testing.assert_equal(read_state_dict(path), {"w": ONE})


@pytest.mark.parametrize("best", ["best_state", "ema", "ema_state_dict"])
def test_averaged_and_best_weights_come_before_the_last(write_checkpoint, best):
    path = write_checkpoint(
        "a.pth", {"state_dict": {"w": TWO}, "state": {"w": TWO}, best: {"w": ONE}}
    )
    np.testing.assert_equal(read_state_dict(path), {"w": ONE})
    path = write_checkpoint("a.pth", {"state_dict": {"w": ONE}, best: None})
    np.testing.assert_equal(read_state_dict(path), {"w": ONE})


@pytest.mark.parametrize(
    "prefix", ["module.", "model.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.model."]
)
def test_prefixes_that_all_names_share_are_removed(write_checkpoint, prefix):
    path = write_checkpoint("a.ckpt", {"state_dict": {f"{prefix}a.w": ONE, f"{prefix}b": TWO}})
    np.testing.assert_equal(read_state_dict(path), {"a.w": ONE, "b": TWO})


@pytest.mark.parametrize("names", [("model.a", "b"), ("model.", "model.a"), ("modela", "modelb")])
def test_other_names_are_kept(names):
    state = dict.fromkeys(names, ONE)
    assert list(without_wrappers(state)) == list(names)
    assert without_wrappers({}) == {}


def test_settings_of_lightning_beside_the_weights(write_checkpoint):
    """Its own dicts and those of configuration packages, read as plain dicts or left out."""
    from tests.importers.torch_writer import Call, Name

    settings = Call(Name("lightning_fabric.utilities.data", "AttributeDict"))
    config = Call(Name("omegaconf.dictconfig", "DictConfig"), state={"_content": {"lr": 1}})
    counter = Call(Name("collections", "Counter"), {5: 1})
    item = {"hyper_parameters": settings, "config": config, "milestones": counter}
    item |= {"dtype": Name("torch", "float32"), "device": Call(Name("torch", "device"), "cpu")}
    contents, state = read_checkpoint(
        write_checkpoint("a.ckpt", {**item, "state_dict": {"model.w": ONE}})
    )
    np.testing.assert_equal(state, {"w": ONE})
    assert contents["hyper_parameters"] == contents["milestones"] == {}


def test_a_wrapped_checkpoint_gives_the_model_of_the_plain_one(write_checkpoint):
    state = {f"module.{name}": value for name, value in open_unmix.weights(VOCALS).items()}
    path = write_checkpoint("vocals.pth", {"epoch": 3, "ema_state_dict": state})
    plain, wrapped = (open_unmix.build(file, 8000) for file in (VOCALS, path))
    for ours, theirs in zip(wrapped.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (ours, theirs)))
