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
    assert names == sorted(file.name for file in FOLDER.iterdir())


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
    assert sum(len(file.read_bytes()) for file in FOLDER.iterdir()) <= 40e6


@pytest.mark.parametrize("name", SHIPPED)
def test_they_are_set(name):
    model = zoo.load(name, weights=True)
    with h5py.File(FOLDER / SHIPPED[name]["file"]) as file:
        stored = []
        file.visititems(lambda _, item: stored.append(item[()]) if hasattr(item, "dtype") else None)
    sums = sorted(float(np.abs(array.astype("float32")).sum()) for array in stored)
    held = sorted(float(np.abs(weight).sum()) for weight in model.get_weights())
    np.testing.assert_allclose(held, sums, rtol=1e-5)


FAST = ("unet_like/karaoke", "conv_tasnet_like/digits")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in FAST else pytest.mark.slow) for n in SHIPPED]
)
def test_their_stems_sum_to_the_mixture(name):
    model = zoo.load(name, weights=True)
    song = data.song(3, 2.0, model.sample_rate, model.channels)
    mixture = sum(song.values())
    estimates = np.stack(list(separate(model, mixture).values()), axis=-1)
    assert np.isfinite(estimates).all()
    error = np.square(estimates.sum(axis=-1) - mixture).sum()
    assert error < 0.1 * np.square(mixture).sum()


def test_an_entry_alone_is_the_preset_whose_weights_are_there():
    assert zoo.trained_preset("open_unmix_like") == "open_unmix_like/karaoke"
    assert zoo.trained_preset("unet_like") == "unet_like/karaoke"
    assert zoo.trained_preset("wave_unet_like") == zoo.describe("wave_unet_like")["name"]


def test_another_size_is_refused():
    with pytest.raises(InputError, match="received another filters for unet_like/karaoke"):
        zoo.load("unet_like/karaoke", weights=True, filters=[4, 8])


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    shutil.copytree(FOLDER, folder)
    file = folder / SHIPPED["unet_like/karaoke"]["file"]
    file.write_bytes(file.read_bytes()[:-100])
    card, model = zoo.describe("unet_like/karaoke"), zoo.load("unet_like/karaoke")
    monkeypatch.setattr(published.resources, "files", lambda package: tmp_path)
    with pytest.raises(InputError, match=r"missing or damaged: install kerasep again"):
        published.load_published(model, card, "mir1k")
