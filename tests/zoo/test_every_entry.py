"""Every preset of the zoo, made tiny: built, trained one step, saved, used, exported.

The fast tests take the default preset of each entry, the slow ones the others. Default presets are
exported. Of presets that made tiny are the same model, the first stands for all.
"""

import json

import keras
import numpy as np
import pytest

import kerasep
from kerasep import losses, zoo
from kerasep.training.fit import compile_model

DEFAULTS = {zoo.describe(name.split("/")[0])["name"] for name in zoo.list_entries()}


def kind(name, *recipe):
    """All that a tiny model is made from but the names of its sources, and parts of its recipe."""
    card = zoo.describe(name)
    arguments = {**card["arguments"], **card["tiny"]}
    arguments["sources"] = len(arguments["sources"][:2])
    parts = [card["recipe"].get(part) for part in recipe]
    return json.dumps([card["class"], arguments, parts], sort_keys=True)


def one_of_each(names, *recipe):
    """Return the names without those that are of a kind with an earlier one."""
    names = sorted(names, key=lambda name: name not in DEFAULTS)
    return sorted({kind(name, *recipe): name for name in reversed(names)}.values())


TRAINED = one_of_each(zoo.list_entries(), "loss", "optimizer")
EXPORTED = one_of_each(DEFAULTS)


def tiny(name):
    card = zoo.describe(name)
    sources = card["arguments"]["sources"][:2]
    return zoo.load(name, weights=False, **{"sources": sources, **card["tiny"]})


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


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in DEFAULTS else pytest.mark.slow) for name in TRAINED],
)
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


@pytest.fixture
def converted_once(monkeypatch):
    """Convert a model once for exports that differ only in the weights, quantised afterwards."""
    from kerasep.tflite import exporter

    convert, made = exporter._converted, []

    def converted(plan, waveform):
        if not made:
            made.append(convert(plan, waveform))
        return made[0]

    monkeypatch.setattr(exporter, "_converted", converted)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
def test_export(name, tmp_path, converted_once):
    # Some draws of weights turn rounding up: no statistics tame the decibels here. MDX-Net, which
    # multiplies by its skips, has many.
    keras.utils.set_random_seed(int(name.startswith("mdx_net_like")))
    model, reports = tiny(name), {}
    for quantization in (None, *(("float16", "int8", "weight_int8") if name in DEFAULTS else ())):
        path = tmp_path / f"{quantization}.tflite"
        # That its numbers are finite is checked before it is written.
        report = kerasep.tflite.export(model, path, seconds=0.5, quantization=quantization)
        assert path.stat().st_size == report.bytes
        reports[quantization] = report
    whole = reports.pop(None)
    assert whole.snr_db > 100
    assert whole.metadata["preset"] == name
    assert all(report.bytes < whole.bytes for report in reports.values())
    clusters = name.split("/")[0] in ("deep_clustering_like", "deep_attractor_like")
    assert clusters or not reports or reports["float16"].snr_db >= 55
