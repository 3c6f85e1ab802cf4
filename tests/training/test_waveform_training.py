"""Training on waveforms comes to what training on spectrograms comes to."""

import keras
import numpy as np
import pytest

from kerasep import data, losses, training, zoo
from kerasep.training import devices, waveform_training

DATA = {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 2, "semitones": 1}


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    data.write_songs(folder, 4, seconds=1.0, sample_rate=8000)
    return folder


def run(name, songs, out, **recipe):
    tiny = zoo.describe(name)["tiny"] | {"sources": ["vocals", "bass"]}
    keras.utils.set_random_seed(0)
    model = zoo.load(name, **tiny)
    history = training.train(
        model, songs, out, recipe={"epochs": 2, "data": DATA, "early_stopping": None, **recipe}
    )
    return model, history


@pytest.mark.parametrize(
    "name", ["unet_like", pytest.param("chimera_like", marks=pytest.mark.slow)]
)
def test_same_losses_and_weights(name, songs, tmp_path, monkeypatch):
    recipe = {}
    if name == "unet_like":
        config = losses.WaveformApproximation(losses.SNR()).get_config()
        recipe = {"loss": {"class_name": "WaveformApproximation", "config": config}}
    expected_model, expected = run(name, songs, tmp_path / "spectrograms", **recipe)
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    received_model, received = run(name, songs, tmp_path / "waveforms", **recipe)
    for before, after in zip(expected, received, strict=True):
        for key in ("loss", "val_loss"):
            assert float(after[key]) == pytest.approx(float(before[key]), rel=2e-3)
    pairs = zip(expected_model.get_weights(), received_model.get_weights(), strict=True)
    assert all(np.allclose(*pair, atol=2e-2) for pair in pairs)
    assert type(zoo.load(tmp_path / "waveforms")) is type(expected_model)


def test_where_the_pipeline_must_transform(monkeypatch):
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    spectra = zoo.load("unet_like", **zoo.describe("unet_like")["tiny"])
    decide = waveform_training.transforms_on_device
    assert decide(spectra, {})
    assert not decide(spectra, {}, prepared=True)
    assert not decide(spectra, {"augment": {"mask_spectrum": {}}})
    assert not decide(zoo.load("conv_tasnet_like/digits"), {})


def test_not_without_an_accelerator(monkeypatch):
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: False)
    spectra = zoo.load("unet_like", **zoo.describe("unet_like")["tiny"])
    assert not waveform_training.transforms_on_device(spectra, {})


def test_from_prepared_spectrograms(songs, tmp_path, monkeypatch):
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    model = zoo.load("unet_like", **zoo.describe("unet_like")["tiny"], sources=["vocals"])
    data.prepare(songs, tmp_path / "shards", model, format="spectrogram")
    settings = {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 2}
    history = training.train(
        model, tmp_path / "shards", tmp_path / "run", recipe={"epochs": 1, "data": settings}
    )
    assert len(history) == 1


class Seen(keras.callbacks.Callback):
    """Notes what the model knows that callbacks are shown."""

    def on_train_batch_end(self, batch, logs=None):
        self.known = {name: getattr(self.model, name) for name in KNOWN}

    def on_epoch_end(self, epoch, logs=None):
        assert self.known == {name: getattr(self.model, name) for name in KNOWN}


KNOWN = ("sources", "sample_rate", "channels", "domain", "stft", "latency", "interchangeable")
KNOWN += ("preset", "licence", "recipe", "filters", "name")


def test_callbacks_see_what_the_model_knows(songs, tmp_path, monkeypatch):
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    model = zoo.load("unet_like", **zoo.describe("unet_like")["tiny"], sources=["vocals"])
    seen = Seen()
    recipe = {"epochs": 1, "data": DATA}
    training.train(model, songs, tmp_path / "run", recipe=recipe, callbacks=[seen])
    assert seen.known == {name: getattr(model, name) for name in KNOWN}
    copy = devices.replica(model)
    assert {name: getattr(copy, name) for name in KNOWN} == seen.known
