"""Weights that come with the package: whole, small, licensed, and used where a model is wanted."""

import hashlib
import shutil
from importlib import resources

import h5py
import numpy as np
import pytest

from kerasep import data, zoo
from kerasep.errors import InputError
from kerasep.separation.recordings import separate
from kerasep.zoo import published

FOLDER = resources.files("kerasep.zoo") / "weights"
SHIPPED = {
    name: weights
    for name in zoo.list_entries()
    for weights in zoo.describe(name)["weights"].values()
    if published.is_shipped(weights)
}


def test_every_file_belongs_to_a_preset():
    assert len(SHIPPED) >= 10
    names = sorted(weights["file"] for weights in SHIPPED.values())
    assert names == sorted(file.name for file in FOLDER.iterdir() if file.name != "LICENCES.md")


@pytest.mark.parametrize("name", SHIPPED)
def test_small_whole_and_licensed(name):
    weights = SHIPPED[name]
    content = (FOLDER / weights["file"]).read_bytes()
    assert len(content) <= 8e6
    assert hashlib.sha256(content).hexdigest() == weights["sha256"]
    assert weights["data"]
    assert weights["licence"]
    assert f"kerasep train {name} --data" in weights["command"]
    assert 0 < weights["hours"] < 100
    assert weights["hardware"]
    assert weights["seed"] == 0


def test_all_together_fit():
    assert sum(len(file.read_bytes()) for file in FOLDER.iterdir()) <= 50e6


@pytest.mark.parametrize("name", SHIPPED)
def test_they_are_set(name):
    model = zoo.load(name)
    with h5py.File(FOLDER / SHIPPED[name]["file"]) as file:
        stored = []
        file.visititems(lambda _, item: stored.append(item[()]) if hasattr(item, "dtype") else None)
    sums = sorted(float(np.abs(array.astype("float32")).sum()) for array in stored)
    held = sorted(float(np.abs(weight).sum()) for weight in model.get_weights())
    np.testing.assert_allclose(held, sums, rtol=1e-5)
    assert model.trained
    assert model.licence == SHIPPED[name]["licence"]


FAST = ("unet_like/karaoke", "conv_tasnet_like/digits")
SOME = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in FAST else pytest.mark.slow) for n in SHIPPED]
)


@SOME
def test_a_name_stands_for_them(name, caplog):
    with caplog.at_level("INFO", "kerasep"):
        model = zoo.load(name)
    (record,) = caplog.records
    licence, material = SHIPPED[name]["licence"], SHIPPED[name]["data"]
    assert record.getMessage().startswith(f"{name}, weights ")
    assert record.getMessage().endswith(f": licence: {licence}; trained on {material}")
    (set_name,) = zoo.describe(name)["weights"]
    for weights in (True, set_name):
        for one, other in zip(model.weights, zoo.load(name, weights).weights, strict=True):
            np.testing.assert_array_equal(one, other)
    random = zoo.load(name, weights=False)
    assert not random.trained
    for one, other in zip(model.weights, random.weights, strict=True):
        assert len(one.shape) == 1 or one.shape[-1] == 1 or not np.array_equal(one, other)


def test_an_entry_is_its_first_preset():
    assert zoo.describe("unet_like")["name"] == "unet_like/singing"
    assert not zoo.describe("unet_like")["weights"]
    assert zoo.BEST_FOR_SONGS in SHIPPED
    for entry in {name.split("/")[0] for name in zoo.list_entries()}:
        first = next(name for name in zoo.list_entries() if name.startswith(f"{entry}/"))
        assert zoo.describe(entry) == zoo.describe(first)


def test_what_fits_is_kept_for_other_sources(caplog):
    with caplog.at_level("INFO", "kerasep"):
        model = zoo.load("unet_like/karaoke", sources=["drums", "vocals"])
    trained = zoo.load("unet_like/karaoke")
    for part in ("down1", "down5", "up4", "up1", "mask"):
        name = f"vocals_{part}"
        expected = trained.get_layer(name).get_weights()
        np.testing.assert_equal(model.get_layer(name).get_weights(), expected)
    assert "10 of 20 layers of unet_like are kept; initialised: drums_down1" in caplog.text
    assert not model.trained


def test_sizes_that_fit_nothing(caplog):
    with caplog.at_level("INFO", "kerasep"):
        assert not zoo.load("unet_like/karaoke", filters=[4, 8]).trained
    assert "no weights of unet_like/karaoke fit these arguments" in caplog.text
    with pytest.raises(InputError, match="expected weights of unet_like with the same arguments"):
        zoo.load("unet_like/karaoke", weights=True, filters=[4, 8])


@SOME
def test_their_stems_sum_to_the_mixture(name):
    model = zoo.load(name, weights=True)
    song = data.song(3, 2.0, model.sample_rate, model.channels)
    mixture = sum(song.values())
    estimates = np.stack(list(separate(model, mixture).values()), axis=-1)
    assert np.isfinite(estimates).all()
    error = np.square(estimates.sum(axis=-1) - mixture).sum()
    assert error < 0.1 * np.square(mixture).sum()


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    shutil.copytree(FOLDER, folder)
    file = folder / SHIPPED["unet_like/karaoke"]["file"]
    file.write_bytes(file.read_bytes()[:-100])
    card, model = zoo.describe("unet_like/karaoke"), zoo.load("unet_like/karaoke")
    monkeypatch.setattr(published.resources, "files", lambda package: tmp_path)
    with pytest.raises(InputError, match=r"missing or damaged: install kerasep again"):
        published.load_published(model, card, "mir1k")
