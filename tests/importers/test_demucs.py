import numpy as np
import pytest

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import demucs
from kerasep.models import DemucsLike, OpenUnmixLike
from tests.importers.torch_writer import Name


def small(**changes):
    settings = {"channels": 1, "filters": 4, "levels": 2, "lstm_layers": 1, "resample": False}
    return DemucsLike(**{**settings, **changes})


@pytest.fixture
def state(state_of):
    return state_of(demucs._slots(small()))


def package(state, **settings):
    return {
        "klass": Name("demucs.model", "Demucs"),
        "args": (),
        "kwargs": settings,
        "state": state,
    }


def refused(message, function, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_weights_alone_are_of_version_2(write_checkpoint, state):
    model = demucs.build(write_checkpoint("demucs.th", state))
    assert model.sources == ("drums", "bass", "other", "vocals")
    assert (model.filters, model.levels, model.growth, model.lstm_layers) == (4, 2, 2.0, 1)
    assert (model.kernel_size, model.stride, model.context, model.resample) == (8, 4, 3, True)
    kernel = np.asarray(model.get_layer("encoder_1_conv").kernel)
    np.testing.assert_array_equal(kernel, state["encoder.1.0.weight"].transpose(2, 1, 0))
    # The original counts decoder levels from the bottom.
    kernel = np.asarray(model.get_layer("decoder_0_conv").kernel)
    np.testing.assert_array_equal(kernel, state["decoder.1.2.weight"].transpose(2, 1, 0))


def test_settings_decide_what_shapes_do_not_tell(write_checkpoint, state):
    settings = {"sources": 4, "channels": 999, "samplerate": 16000, "stride": 2}
    model = demucs.build(write_checkpoint("a.th", package(state, **settings)))
    # Without a word on it the settings are of version 1, which did not resample.
    assert (model.sample_rate, model.stride, model.filters, model.resample) == (16000, 2, 4, False)
    settings["resample"] = True
    path = write_checkpoint("b.th", package(state, **settings))
    assert demucs.build(path).resample
    assert not demucs.build(path, resample=False).resample


def test_load_takes_the_weights_alone(write_checkpoint, state):
    model = small(sources=["a", "b", "c", "d"], normalize=False)
    path = write_checkpoint("a.th", package(state))
    assert importers.load(model, path) is model
    bias = state["lstm.lstm.bias_ih_l0_reverse"] + state["lstm.lstm.bias_hh_l0_reverse"]
    backward = model.get_layer("lstm").cells[0].backward_layer.cell
    np.testing.assert_allclose(np.asarray(backward.bias), bias, rtol=1e-6)


def test_the_published_sources_in_another_order(write_checkpoint, state):
    path = write_checkpoint("a.th", state)
    model = small(sources=["vocals", "drums", "bass", "other"])
    refused("expected Demucs' own order.*drums.*vocals", importers.load, model, path)


def test_another_number_of_sources(write_checkpoint, state_of):
    state = state_of(demucs._slots(small(sources=["a", "b"])))
    path = write_checkpoint("two.th", state)
    assert demucs.build(path, sources=["speech", "noise"]).sources == ("speech", "noise")
    refused("2 outputs, expected 4 sources of 1 channels", demucs.build, path)


def test_weights_of_another_model_leave_the_model_as_it_was(write_checkpoint, state):
    path = write_checkpoint("a.th", state)
    for other in (small(filters=8), small(levels=3), small(lstm_layers=0)):
        before = other.get_weights()
        refused("a.th holds weights of another model", demucs.load, other, path)
        for weight, value in zip(other.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, value)
    refused("a model of OpenUnmixLike", demucs.load, OpenUnmixLike(n_fft=256, hop=64), path)


def test_settings_that_no_shape_shows(write_checkpoint, state):
    """The same weights at twice the rate would give other numbers without a word."""
    for wrong in ({"resample": True}, {"stride": 2}):
        path = write_checkpoint("a.th", package(state, **wrong))
        (named,) = wrong
        refused(f"with {named}=.* but the file has {wrong[named]}", demucs.load, small(), path)
    path = write_checkpoint("a.th", package(state, glu=False))
    refused("which kerasep does not build", demucs.load, small(), path)
    demucs.load(small(), write_checkpoint("a.th", package(state, samplerate=16000)))


def test_version_3(write_checkpoint, state):
    newer = {name.replace(".2.", ".3."): value for name, value in state.items()}
    refused("but version 3's", demucs.build, write_checkpoint("a.th", newer))


@pytest.mark.parametrize("key", ["compressed", "__quantized"])
def test_quantised_weights(write_checkpoint, state, key):
    encode = Name("_codecs", "encode")
    path = write_checkpoint("a.th", {key: encode})
    refused("quantised weights", demucs.build, path)
    path = write_checkpoint("b.th", package({**state, key: True}))
    refused("quantised weights", demucs.load, small(), path)


@pytest.mark.parametrize("settings", [{"glu": False}, {"rewrite": False}, {"upsample": True}])
def test_a_kind_that_is_not_built(write_checkpoint, state, settings):
    path = write_checkpoint("a.th", package(state, **settings))
    refused("does not build", demucs.build, path)


@pytest.mark.parametrize("settings", [{"stride": "4"}, {"samplerate": [1]}, {"stride": 2.5}])
def test_settings_of_other_types(write_checkpoint, state, settings):
    path = write_checkpoint("a.th", package(state, **settings))
    refused("expected whole numbers", demucs.build, path)


def test_shapes_that_do_not_agree_make_no_large_model(write_checkpoint, state):
    huge = {**state, "encoder.1.0.weight": np.zeros((4096, 1, 1), "float32")}
    refused("of a DemucsLike with its settings", demucs.build, write_checkpoint("a.th", huge))
    deep = {**state, "lstm.lstm.weight_hh_l0": np.zeros((4, 1), "float32")}
    refused(
        "of a DemucsLike with its settings",
        demucs.build,
        write_checkpoint("c.th", deep),
    )
    grown = {**state, "encoder.2.0.weight": np.zeros((1, 1, 1), "float32")}
    grown["decoder.2.2.weight"] = state["decoder.1.2.weight"]
    refused("constant growth", demucs.build, write_checkpoint("b.th", grown))


def test_a_file_that_is_none(tmp_path):
    path = tmp_path / "demucs.th"
    refused("is not a file", demucs.build, path)
    path.write_bytes(b"demucs")
    refused("not a PyTorch file", demucs.load, small(), path)
