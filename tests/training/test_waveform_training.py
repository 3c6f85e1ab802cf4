"""Training on waveforms comes to the result of training on spectrograms."""

import keras
import numpy as np
import pytest
from tiny_runs import RECIPE, Killed, tiny, train

from kerasep import data, training, zoo
from kerasep.losses import SNR, WaveformApproximation
from kerasep.training import devices, training_data, waveform_training

DATA = {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 2, "semitones": 1}


def assert_close(received, expected):
    (model, history), (other, other_history) = received, expected
    for row, other_row in zip(history, other_history, strict=True):
        for key in ("loss", "val_loss"):
            assert row[key] == pytest.approx(other_row[key], rel=2e-3)
    for weight, other_weight in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other_weight, atol=2e-2)


def test_same_losses_and_weights(songs, tmp_path, monkeypatch):
    config = WaveformApproximation(SNR()).get_config()
    recipe = {
        "epochs": 1,
        "loss": {"class_name": "WaveformApproximation", "config": config},
        "data": {**RECIPE["data"], "semitones": 1},
    }

    def run(out):
        model = tiny()
        return model, train(songs, tmp_path / out, recipe, model)

    expected = run("spectrograms")
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    assert_close(run("waveforms"), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet_like", "chimera_like"])
def test_same_losses_and_weights_of_the_zoo(name, songs, tmp_path, monkeypatch):
    def run(out):
        keras.utils.set_random_seed(0)
        model = zoo.load(name, **zoo.describe(name)["tiny"] | {"sources": ["vocals", "bass"]})
        recipe = {"epochs": 2, "data": DATA, "early_stopping": None}
        return model, training.train(model, songs, tmp_path / out, recipe=recipe)

    expected = run("spectrograms")
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    assert_close(run("waveforms"), expected)
    assert type(zoo.load(tmp_path / "waveforms")) is type(expected[0])


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
    model = tiny()
    data.prepare(songs, tmp_path / "shards", model, format="spectrogram")
    history = training.train(
        model, tmp_path / "shards", tmp_path / "run", recipe={**RECIPE, "epochs": 1}
    )
    assert len(history) == 1


KNOWN = ("sources", "sample_rate", "channels", "domain", "stft", "latency", "interchangeable")
KNOWN += ("preset", "licence", "recipe", "filters", "name")


def knowledge(model):
    return {name: getattr(model, name) for name in KNOWN}


def test_callbacks_see_what_the_model_knows(songs, tmp_path, monkeypatch):
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    model = zoo.load("unet_like", **zoo.describe("unet_like")["tiny"], sources=["vocals"])
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(knowledge(self.model))
            raise Killed

    with pytest.raises(Killed):
        training.train(
            model, songs, tmp_path / "run", recipe={"epochs": 1, "data": DATA}, callbacks=[Look()]
        )
    assert seen == [knowledge(model)] == [knowledge(devices.replica(model))]


@pytest.mark.parametrize("name", ["unet_like", "conv_tasnet_like"])
def test_16_bit_waveforms_have_the_same_losses_and_metrics(name, songs, tmp_path, monkeypatch):
    def run(out):
        keras.utils.set_random_seed(0)
        model = zoo.load(name, **zoo.describe(name)["tiny"], sources=["vocals", "bass"])
        recipe = {"epochs": 1, "data": DATA, "early_stopping": None}
        ratios = ["si_sdr", "si_sdr_improvement"]
        return training.train(model, songs, tmp_path / out, recipe=recipe, metrics=ratios)[-1]

    expected = run("whole")
    for module in (waveform_training, training_data):
        monkeypatch.setattr(module, "has_accelerator", lambda: True)
    received = run("halved")
    for key in ("loss", "val_loss", "si_sdr", "val_si_sdr_improvement"):
        assert received[key] == pytest.approx(expected[key], rel=5e-3, abs=5e-3)
