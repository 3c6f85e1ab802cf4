"""Every preset of the zoo, made tiny: built, trained one step, saved, used, exported.

The fast tests take the default preset of each entry, the slow ones the others. Default presets and
those with weights in the package are exported.
"""

import keras
import numpy as np
import pytest

import kerasep
from kerasep import losses, zoo
from kerasep.training.fit import compile_model
from kerasep.zoo.published import is_shipped

DEFAULTS = {zoo.describe(name.split("/")[0])["name"] for name in zoo.list_entries()}
SHIPPED = {
    name
    for name in zoo.list_entries()
    if any(map(is_shipped, zoo.describe(name)["weights"].values()))
}
ENTRIES = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in DEFAULTS else pytest.mark.slow)
        for name in zoo.list_entries()
    ],
)


def tiny(name):
    card = zoo.describe(name)
    return zoo.load(name, **{"sources": card["arguments"]["sources"][:2], **card["tiny"]})


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
    x, y = map(keras.ops.convert_to_numpy, (kerasep.ops.magnitude(spectrum), reference))
    # One reference serves every head.
    return x, keras.tree.map_structure(lambda _: y, model.output)


def loss_of(config):
    return keras.losses.deserialize(config, custom_objects=vars(losses))


def arrays(outputs):
    return [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(outputs)]


@ENTRIES
def test_entry(name, weight_gradients, tmp_path):
    model = tiny(name)
    x, y = example(model)
    assert model.estimate(x).shape == (*x.shape, len(model.sources))

    def loss(outputs):
        if not isinstance(outputs, dict):
            return loss_of(model.recipe["loss"])(y, outputs)
        return sum(loss_of(model.recipe["loss"][head])(y[head], outputs[head]) for head in y)

    for path, gradient in weight_gradients(model, loss, x).items():
        assert np.isfinite(gradient).all(), path
        assert gradient.any(), path

    compile_model(model, model.recipe)
    # Tracing takes most of the time, and is tested for every class in tests/models.
    model.run_eagerly = keras.backend.backend() == "tensorflow"
    assert np.isfinite(model.train_on_batch(x, y)).all()

    model.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    for restored, original in zip(arrays(again(x)), arrays(model(x)), strict=True):
        np.testing.assert_array_equal(restored, original)

    audio = 0.1 * np.random.default_rng(1).standard_normal((1501, model.channels))
    stems = kerasep.separate(model, audio)
    assert tuple(stems) == model.sources
    for stem in stems.values():
        assert stem.shape == audio.shape
        assert stem.dtype == "float32"
        assert np.isfinite(stem).all()


EXPORTED = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(DEFAULTS | SHIPPED))
@EXPORTED
def test_export(name, tmp_path):
    model = tiny(name)
    report = kerasep.tflite.export(model, tmp_path / "model.tflite", seconds=0.5)
    assert report.snr_db > 100
    assert (tmp_path / "model.tflite").stat().st_size == report.bytes
    assert report.metadata["preset"] == name


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_export_of_quantised_weights(name, tmp_path):
    # One draw of weights in a hundred turns rounding up: no statistics tame the decibels here.
    keras.utils.set_random_seed(0)
    model = tiny(name)
    reports = {
        quantization: kerasep.tflite.export(
            model,
            tmp_path / "model.tflite",
            seconds=0.5,
            quantization=quantization,
            overwrite=True,
        )
        for quantization in (None, "float16", "int8", "weight_int8")
    }
    size = reports[None].bytes
    clusters = name.split("/")[0] in ("deep_clustering_like", "deep_attractor_like")
    assert clusters or reports["float16"].snr_db >= 55
    for quantization in ("float16", "int8", "weight_int8"):
        # That its numbers are finite is checked before it is written.
        assert reports[quantization].bytes < size
