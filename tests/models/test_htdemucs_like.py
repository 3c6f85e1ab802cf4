"""HTDemucs: the sizes of the published checkpoints, its two branches, and its chunks."""

import keras
import numpy as np
import pytest

import kerasep
from kerasep import models, zoo
from kerasep.errors import InputError
from kerasep.models import HTDemucsLike
from kerasep.models.building import build_without_values

SMALL = {"sample_rate": 8000, "channels": 1, "n_fft": 128, "filters": 8, "levels": 1}
SMALL |= {"compression": 8, "bottleneck": 0, "transformer_layers": 0, "chunk_seconds": 0.05}


@pytest.mark.parametrize(("name", "count"), [("htdemucs", 41_984_456), ("htdemucs_6s", 27_414_996)])
def test_published_sizes(name, count):
    card = zoo.describe(f"htdemucs_like/{name}")
    model = build_without_values(getattr(models, card["class"]), card["arguments"])
    assert model.count_params() == count


def without(model, *branches):
    """Return the model with decoders of some branches that return zeros."""
    for branch in branches:
        layer = model.get_layer(f"{branch}_decoder_0_conv")
        layer.kernel.assign(np.zeros(layer.kernel.shape))
        layer.bias.assign(np.zeros(layer.bias.shape))
    return model


def test_both_branches_add_up(rng):
    """The spectrum's waveforms and the waveform branch's are added."""
    arguments = {"sources": ["a", "b"], **SMALL}
    both = HTDemucsLike(**arguments)
    mixture = rng.standard_normal((1, 900, 1)).astype("float32")
    outputs = {}
    for branches in ((), ("spectrum",), ("waveform",), ("spectrum", "waveform")):
        model = HTDemucsLike(**arguments)
        model.set_weights(both.get_weights())
        outputs[branches] = keras.ops.convert_to_numpy(without(model, *branches)(mixture))
    alone = outputs["spectrum",] + outputs["waveform",]
    expected = outputs[()] + outputs["spectrum", "waveform"]
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    assert np.abs(outputs["spectrum",] - outputs["waveform",]).max() > 0.01


def test_level_and_offset_pass_through(rng):
    model = HTDemucsLike(["a", "b"], **SMALL)
    mixture = rng.standard_normal((1, 700, 1)).astype("float32")
    outputs = keras.ops.convert_to_numpy(model(mixture))
    louder = keras.ops.convert_to_numpy(model(30 * mixture - 2))
    np.testing.assert_allclose(louder, 30 * outputs - 2, atol=2e-3)


def test_a_network_per_source(rng):
    """Each is that of a model of one source."""
    bag = HTDemucsLike(["a", "b"], per_source=True, **SMALL)
    mixture = rng.standard_normal((1, 700, 1)).astype("float32")
    outputs = keras.ops.convert_to_numpy(bag(mixture))
    for index, source in enumerate(bag.sources):
        alone = HTDemucsLike([source], **SMALL)
        for layer in alone.layers:
            if layer.weights:
                layer.set_weights(bag.get_layer(f"{source}_{layer.name}").get_weights())
        expected = keras.ops.convert_to_numpy(alone(mixture))
        np.testing.assert_allclose(outputs[..., index], expected[..., 0], atol=1e-6)


def test_recordings_are_cut_into_chunks_of_its_own():
    model = HTDemucsLike(["a", "b"], **{**SMALL, "chunk_seconds": 0.5})
    separator = kerasep.separation.as_chunk_separator(model)
    assert (separator.chunk, separator.overlap) == (4000, 1000)
    longer = kerasep.separation.as_chunk_separator(model, chunk_seconds=20.0)
    assert (longer.chunk, longer.overlap) == (160_000, 40_000)


def recording(rng):
    """Noise of 19 chunks whose level grows, with a constant part."""
    rise = np.linspace(0.01, 0.5, 6001)[:, None]
    return (rise * rng.standard_normal((6001, 1)) + 0.1).astype("float32")


def test_a_recording_is_normalised_as_a_whole(rng):
    arguments = {"sources": ["a", "b"], **SMALL}
    model, plain = HTDemucsLike(**arguments), HTDemucsLike(**arguments, normalize=False)
    plain.set_weights(model.get_weights())
    mixture = recording(rng)
    mean, deviation = mixture.mean(), mixture.std(ddof=1)
    stems = kerasep.separate(model, mixture)
    expected = kerasep.separate(plain, (mixture - mean) / deviation)
    by_chunks = kerasep.separation.chunk_separator(kerasep.Separator(model))
    by_chunks = by_chunks._replace(
        process=lambda x: np.asarray(model.predict_on_batch(x)), mean_share=None
    )
    for name, stem in stems.items():
        np.testing.assert_allclose(stem, mean + deviation * expected[name], atol=1e-5)
        assert np.abs(kerasep.separate(by_chunks, mixture)[name] - stem).max() > 0.01


@pytest.mark.parametrize(
    ("sources", "residual"), [(["vocals", "accompaniment"], None), (["a", "b"], "rest")]
)
def test_normalised_stems_add_up_to_the_recording(rng, sources, residual):
    mixture = recording(rng)
    stems = kerasep.separate(HTDemucsLike(sources, **SMALL), mixture, residual=residual)
    np.testing.assert_allclose(sum(stems.values()), mixture, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_fft": 100}, "n_fft=100 for levels=1"),
        ({"levels": 2, "n_fft": 64}, "n_fft=64 for levels=2.*a multiple of 16 above 32"),
        ({"levels": 5}, "levels=5, expected 1 to 4"),
        ({"filters": 4}, "filters=4, compression=8"),
        ({"transformer_layers": 1, "bottleneck": 12}, "bottleneck=12 for heads=8"),
        ({"transformer_layers": -1}, "transformer_layers=-1, expected 0 to"),
        ({"heads": 0}, "heads=0, expected 1 to"),
        ({"chunk_seconds": 0.01}, "chunk_seconds=0.01, expected at least 0.032"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(InputError, match=f"received {message}"):
        HTDemucsLike(**{**SMALL, **changes})
