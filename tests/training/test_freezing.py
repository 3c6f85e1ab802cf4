"""Layers that are not trained: named by patterns, kept to the bit, also by a run that resumes."""

import json

import keras
import numpy as np
import pytest
from tiny_runs import kill, refused, tiny, train

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.system.keras_private import sublayers
from kerasep.training.recipes import freeze
from kerasep.training.statistics import adapt

FROZEN = {"freeze": ["batch_normalization*"], "plateau": None}


def layer(model, kind):
    return next(one for one in model.layers if one.name.startswith(kind))


def with_statistics():
    """A tiny model whose batch norm has seen data before."""
    model = tiny()
    norm = layer(model, "batch_normalization")
    norm.set_weights([np.full(weight.shape, 0.5, "float32") for weight in norm.weights])
    return model


def test_a_frozen_norm_keeps_its_statistics(songs, tmp_path):
    model = with_statistics()
    dense = layer(model, "dense").get_weights()
    train(songs, tmp_path / "run", {**FROZEN, "epochs": 1}, model)
    assert all(np.all(w == 0.5) for w in layer(model, "batch_normalization").get_weights())
    assert not np.array_equal(layer(model, "dense").get_weights()[0], dense[0])
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["recipe"]["freeze"]


@pytest.mark.slow
def test_a_resumed_run_is_still_frozen(songs, tmp_path):
    unbroken, resumed = with_statistics(), with_statistics()
    train(songs, tmp_path / "unbroken", {**FROZEN, "epochs": 2}, unbroken)
    kill(songs, tmp_path / "run", {**FROZEN, "epochs": 2}, with_statistics(), epoch=1)
    refused(
        "holds a run with another recipe", songs, tmp_path / "run", {"plateau": None, "epochs": 2}
    )
    train(songs, tmp_path / "run", {**FROZEN, "epochs": 2}, resumed)
    for one, other in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_patterns_name_layers():
    model = zoo.load("unet_like", False, **zoo.describe("unet_like")["tiny"])
    freeze(model, ["vocals_down[12]", "*_mask"])
    frozen = [one.name for one in model.layers if one.weights and not one.trainable]
    assert sorted(frozen) == ["accompaniment_mask", "vocals_down1", "vocals_down2", "vocals_mask"]
    inside = sublayers(model.get_layer("vocals_down1"))
    assert inside
    assert not any(one.trainable for one in inside)
    freeze(model, None)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["vocals_*", "drums_*"], r"freeze='drums_\*', expected names of layers: vocals_down1, "),
        (["*"], "leaves no weight to train"),
        ("vocals_*", "expected a list of names"),
        ([3], "expected a list of names"),
    ],
)
def test_patterns_that_are_refused(patterns, message):
    model = zoo.load("unet_like", False, **zoo.describe("unet_like")["tiny"])
    with pytest.raises(InputError, match=message):
        freeze(model, patterns)


def test_statistics_that_came_with_weights_are_kept():
    arguments = {"hidden": 8, "n_fft": 64, "hop": 16, "sources": ["vocals", "drums"]}
    model = zoo.load("open_unmix_like/small", False, **arguments)
    vocals = model.get_layer("vocals_input")
    vocals.shift.assign(np.full(vocals.shift.shape, 3.0))
    batches = [(np.random.default_rng(0).uniform(0, 2, (2, 50, 33, 1)).astype("float32"),)]
    adapt(model, batches)
    shift, scale = map(keras.ops.convert_to_numpy, (vocals.shift, vocals.scale))
    assert np.all(shift == 3)
    assert np.all(scale == 1)
    drums = model.get_layer("drums_input")
    mean, deviation = batches[0][0].mean((0, 1, 3)), batches[0][0].std((0, 1, 3))
    seen = len(shift)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(drums.shift), -mean[:seen], rtol=1e-4)
    scale = keras.ops.convert_to_numpy(drums.scale)
    np.testing.assert_allclose(scale, 1 / deviation[:seen], rtol=1e-4)
    before = drums.get_weights()
    adapt(model, [(5 * batches[0][0],)])
    np.testing.assert_equal(drums.get_weights(), before)


@pytest.mark.parametrize(
    ("entry", "measures"), [("open_unmix_like/small", [True, False]), ("unet_like", [False, False])]
)
def test_only_levels_that_are_measured_are_announced(entry, measures, caplog):
    caplog.set_level("INFO", "kerasep")
    model = zoo.load(entry, False, **zoo.describe(entry)["tiny"])
    bins = model.stft["n_fft"] // 2 + 1
    shape = (2, 50, bins, model.channels)
    batches = [(np.random.default_rng(0).uniform(0, 2, shape).astype("float32"),)]
    announced = []
    for _ in range(2):
        caplog.clear()
        adapt(model, batches)
        announced.append(any("the level of every frequency" in line for line in caplog.messages))
    assert announced == measures
