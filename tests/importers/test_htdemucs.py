import numpy as np
import pytest

from kerasep import importers, zoo
from kerasep.errors import InputError
from kerasep.importers import htdemucs
from kerasep.models import HTDemucsLike, OpenUnmixLike
from tests.importers.torch_writer import Call, Name

SOURCES = ["drums", "bass", "other", "vocals"]
SIZES = {"channels": 1, "n_fft": 128, "filters": 8, "levels": 2, "compression": 4}
SIZES |= {"bottleneck": 16, "transformer_layers": 2, "expansion": 2}


def small(**changes):
    settings = {"sources": SOURCES, "sample_rate": 8000, "heads": 2, "chunk_seconds": 0.25}
    return HTDemucsLike(**{**settings, **SIZES, **changes})


@pytest.fixture
def state(state_of):
    return state_of(htdemucs._slots(small()))


def package(state, **settings):
    known = {
        "sources": SOURCES,
        "samplerate": 8000,
        "segment": Call(Name("fractions", "Fraction"), "1/4"),
        "t_heads": 2,
        "dconv_mode": 3,
    }
    return {
        "klass": Name("demucs.htdemucs", "HTDemucs"),
        "args": (),
        "kwargs": {**known, **settings},
        "state": state,
        "training_args": {"dset": {"segment": 11}},
    }


def refused(message, function, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_build_takes_sizes_from_shapes_and_the_rest_from_the_settings(write_checkpoint, state):
    path = write_checkpoint("a.th", package(state))
    model = htdemucs.build(path)
    assert model.get_config() == small(dropout=0.02).get_config()
    kernel = np.asarray(model.get_layer("spectrum_encoder_1_conv").kernel)
    np.testing.assert_array_equal(kernel, state["encoder.1.conv.weight"].transpose(2, 3, 1, 0))
    # The original counts decoder levels from the bottom.
    kernel = np.asarray(model.get_layer("waveform_decoder_0_conv").kernel)
    np.testing.assert_array_equal(kernel, state["tdecoder.1.conv_tr.weight"].transpose(2, 1, 0))
    layer = model.get_layer("spectrum_transformer_1")
    projections = state["crosstransformer.layers.1.cross_attn.in_proj_weight"]
    np.testing.assert_array_equal(np.asarray(layer.query.kernel), projections[:16].T)
    np.testing.assert_array_equal(np.asarray(layer.key_value.kernel), projections[16:].T)


def test_other_forms_of_the_settings(write_checkpoint, state):
    """A fraction of two numbers, as of Python 3.12, or of JSON; and other names of the sources."""
    for segment in (
        Call(Name("fractions", "Fraction"), 1, 2),
        {"_type": "fraction", "numerator": 1, "denominator": 2},
        0.5,
    ):
        path = write_checkpoint("a.th", package(state, segment=segment))
        assert htdemucs.build(path).chunk_seconds == 0.5
    assert htdemucs.build(path, sources=["a", "b", "c", "d"]).sources == ("a", "b", "c", "d")
    for segment in ({"numerator": 1, "denominator": 0}, {"numerator": 1}):
        path = write_checkpoint("a.th", package(state, segment=segment))
        refused("has the segment .* expected a fraction", htdemucs.build, path)
    for parts in (("1/0",), ("1//2",), (1, 0), ([], 2)):
        segment = Call(Name("fractions", "Fraction"), *parts)
        path = write_checkpoint("a.th", package(state, segment=segment))
        refused("is not a PyTorch file of weights", htdemucs.build, path)


def test_load_takes_weights_alone(write_checkpoint, state):
    model = small()
    assert importers.load(model, write_checkpoint("a.th", state)) is model
    vectors = np.asarray(model.get_layer("bin_embedding").vectors)
    np.testing.assert_array_equal(vectors, state["freq_emb.embedding.weight"])
    assert model.trained


def test_the_sources_in_another_order(write_checkpoint, state):
    path = write_checkpoint("a.th", package(state))
    model = small(sources=["vocals", "drums", "bass", "other"])
    refused("the order of .*drums.*vocals", importers.load, model, path)


def test_a_file_per_source(write_checkpoint, state, tmp_path):
    """Each network gets the part of its source: here of files that are all the same."""
    path = write_checkpoint("vocals.th", package(state))
    model = small(sources=["vocals", "bass"], per_source=True)
    refused("bass has none: give a dict, or a folder with bass.th", htdemucs.load, model, tmp_path)
    htdemucs.load(model, {"vocals": path, "bass": path, "drums": "not needed"})
    whole = htdemucs.build(path)
    mixture = np.random.default_rng(0).standard_normal((1, 1500, 1)).astype("float32")
    expected = np.asarray(whole(mixture))[..., [3, 1]]
    np.testing.assert_allclose(model(mixture), expected, atol=1e-5 * np.abs(expected).max())
    model = small(sources=["piano"], per_source=True)
    refused("of drums, bass, other, vocals, expected.*piano", htdemucs.load, model, {"piano": path})


def test_settings_that_no_shape_shows(write_checkpoint, state):
    """The same weights with other heads would give other numbers without a word."""
    path = write_checkpoint("a.th", package(state, t_heads=4))
    refused("a model with heads=2 but the file has 4: build", htdemucs.load, small(), path)
    path = write_checkpoint("a.th", package(state, t_emb="cape"))
    refused("HTDemucs with {'t_emb': 'cape'}, which kerasep does not", htdemucs.load, small(), path)
    one = small(sources=["bass"], per_source=True)
    path = write_checkpoint("a.th", package(state, t_heads=4))
    refused("heads=2 but the file has 4", htdemucs.load, one, {"bass": path})


@pytest.mark.parametrize("name", ["decoder.1.conv_tr.bias", "tdecoder.1.conv_tr.weight"])
@pytest.mark.parametrize("damage", ["gone", "scalar", "short"])
def test_damaged_last_layers(write_checkpoint, state, name, damage):
    value = state[name]
    short = value[:, :1] if value.ndim > 1 else value[:1]
    changed = state | {name: np.float32(1) if damage == "scalar" else short}
    if damage == "gone":
        del changed[name]
    path = write_checkpoint("a.th", package(changed))
    one = small(sources=["bass"], per_source=True)
    refused("a.th", htdemucs.build, path)
    refused("a.th", htdemucs.load, small(), path)
    refused("a.th", htdemucs.load, one, {"bass": path})
    refused("a.th", htdemucs.build, write_checkpoint("a.th", package(without_waveforms(state))))


def without_waveforms(state):
    return {name: value for name, value in state.items() if not name.startswith("tdecoder")}


def test_published_sets_have_the_names_of_the_sources():
    files = zoo.describe("htdemucs_like/htdemucs_ft")["weights"]["musdb_extra"]["files"]
    assert list(files) == SOURCES
    for name in ("htdemucs", "htdemucs_6s"):
        assert zoo.describe(f"htdemucs_like/{name}")["weights"]["musdb_extra"]["files"].keys() == {
            "all"
        }


def test_refusals(write_checkpoint, state):
    refused("files of vocals, expected one file", htdemucs.load, small(), {"vocals": "a.th"})
    refused("model of OpenUnmixLike", htdemucs.load, OpenUnmixLike(n_fft=64, hop=16, hidden=4), "a")
    path = write_checkpoint("a.th", package(state, t_sparse_self_attn=True))
    refused(
        "HTDemucs with {'t_sparse_self_attn': True}, which kerasep does not", htdemucs.build, path
    )
    path = write_checkpoint("a.th", package(state, sources=["a", "b"]))
    refused("a model with 4 sources, expected a, b", htdemucs.build, path)
    path = write_checkpoint("a.th", package(state))
    refused("4 sources, received the names", htdemucs.build, path, sources=["a"])
    refused("1 missing|not expected", importers.load, small(transformer_layers=1), path)
    path = write_checkpoint("a.th", {"weight": np.zeros((2, 2), "float32")})
    refused("1 tensors .*expected the weights of HTDemucs", htdemucs.build, path)
    path = write_checkpoint("a.th", {**package(state), "kwargs": [1]})
    refused("settings that are not a dict", htdemucs.build, path)
    bad = {name.replace("tencoder.1.conv", "lost"): value for name, value in state.items()}
    refused("tencoder.1.conv.weight", htdemucs.build, write_checkpoint("a.th", package(bad)))
