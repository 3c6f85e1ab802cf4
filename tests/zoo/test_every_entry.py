"""Every preset of the zoo, made small: built, trained one step, saved, used, exported."""

import keras
import numpy as np
import pytest

import kerasep
from kerasep import losses, zoo

# What makes a model small, for the arguments that it has.
SMALL = {
    "sample_rate": 8000,
    "n_fft": 256,
    "hop": 64,
    "hidden": 8,
    "lstm_layers": 1,
    "dropout": 0.0,
    "max_hz": 3000,
}
ENTRIES = pytest.mark.parametrize("name", zoo.list_entries())


def small(name):
    arguments = zoo.describe(name)["arguments"]
    changes = {key: SMALL[key] for key in SMALL.keys() & arguments.keys()}
    return zoo.load(name, sources=arguments["sources"][:2], **changes)


def example(model):
    """An input, and the y_true that goes with it."""
    rng = np.random.default_rng(0)
    count = len(model.sources)
    waveforms = 0.3 * rng.standard_normal((2, 1024, model.channels, count)).astype("float32")
    mixture = waveforms.sum(axis=-1)
    if model.domain == "waveform":
        return mixture, waveforms
    spectra = [kerasep.ops.stft(waveforms[..., i], **model.stft) for i in range(count)]
    spectrum = kerasep.ops.stft(mixture, **model.stft)
    reference = kerasep.targets.pack_reference(spectrum, keras.ops.stack(spectra, axis=-2))
    return tuple(map(keras.ops.convert_to_numpy, (kerasep.ops.magnitude(spectrum), reference)))


@ENTRIES
def test_entry(name, weight_gradients, tmp_path):
    model = small(name)
    x, y = example(model)
    assert model(x).shape == (*x.shape, len(model.sources))

    loss = keras.losses.deserialize(model.recipe["loss"], custom_objects=vars(losses))
    for path, gradient in weight_gradients(model, lambda outputs: loss(y, outputs), x).items():
        assert np.isfinite(gradient).all(), path
        assert gradient.any(), path

    kerasep.training.compile_model(model, model.recipe)
    assert np.isfinite(model.train_on_batch(x, y))

    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    to_numpy = keras.ops.convert_to_numpy
    np.testing.assert_array_equal(to_numpy(again(x)), to_numpy(model(x)))

    audio = 0.1 * np.random.default_rng(1).standard_normal((3001, model.channels))
    stems = kerasep.separate(model, audio)
    assert tuple(stems) == model.sources
    for stem in stems.values():
        assert stem.shape == audio.shape
        assert stem.dtype == "float32"
        assert np.isfinite(stem).all()


@ENTRIES
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
def test_export(name, tmp_path):
    model = small(name)
    report = kerasep.tflite.export(model, tmp_path / "model.tflite", seconds=0.5)
    assert report.snr_db > 100
    assert (tmp_path / "model.tflite").stat().st_size == report.bytes
