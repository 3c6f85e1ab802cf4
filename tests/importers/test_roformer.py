import numpy as np
import pytest

from kerasep import importers, ops
from kerasep.errors import InputError
from kerasep.importers import roformer
from kerasep.models import BSRoFormerLike, MelBandRoFormerLike, OpenUnmixLike

SIZES = {"channels": 2, "n_fft": 64, "features": 8, "depth": 2, "heads": 2, "head_features": 4}
SETTINGS = """
audio:
  sample_rate: 22050
model:
  stereo: true
  stft_hop_length: 12
  stft_n_fft: 64
  freqs_per_bands: !!python/tuple
  - 1
  - 32
training:
  instruments: [Lead Vocals, other]
  target_instrument: null
"""


def small(model_class=BSRoFormerLike, **changes):
    bands = {"bands": [1, 4, 8, 20]} if model_class is BSRoFormerLike else {"bands": 5}
    settings = {**SIZES, **bands, "hop": 16, "sources": ["a", "b"], "mask_expansion": 2}
    return model_class(**{**settings, **changes})


@pytest.fixture
def state(state_of):
    return state_of(roformer._slots(small()))


def refused(message, function, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_sizes_come_from_the_shapes(write_checkpoint, state, tmp_path):
    # The angles of rotary positions are in the files, and are constants.
    state["layers.0.0.layers.0.0.rotary_embed.freqs"] = np.ones(2, "float32")
    (tmp_path / "hop.yaml").write_text(
        "model: {stft_hop_length: 16}\naudio: {chunk_size: 22050}\ninference: {chunk_size: 11025}"
    )
    path = write_checkpoint("model.ckpt", state)
    model = roformer.build(path, sources=["x", "y"], settings=tmp_path / "hop.yaml")
    assert isinstance(model, BSRoFormerLike)
    assert model.trained
    assert (model.sources, model.bands, model.n_fft) == (("x", "y"), (1, 4, 8, 20), 64)
    assert (model.features, model.depth, model.heads, model.head_features) == (8, 2, 2, 4)
    assert (model.mask_expansion, model.mask_layers, model.sample_rate) == (2, 1, 44100)
    assert model.chunk_seconds == 0.25


def test_the_settings_beside_a_file(write_checkpoint, state, tmp_path):
    path = write_checkpoint("model.ckpt", state)
    (tmp_path / "model.yaml").write_text(SETTINGS)
    model = roformer.build(path)
    assert (model.sources, model.hop, model.sample_rate) == (("lead_vocals", "other"), 12, 22050)
    (tmp_path / "other.yaml").write_text(SETTINGS.replace("target_instrument: null", "").strip())
    assert roformer.build(path, settings=tmp_path / "other.yaml").sources[1] == "other"


def test_mel_bands(write_checkpoint, state_of, tmp_path):
    original = small(MelBandRoFormerLike, sources=["a"], mask_layers=2, sample_rate=22050)
    path = write_checkpoint("model.ckpt", state_of(roformer._slots(original)))
    (tmp_path / "model.yaml").write_text(SETTINGS.replace("null", "vocals"))
    model = roformer.build(path)
    assert isinstance(model, MelBandRoFormerLike)
    assert (model.sources, model.bands, model.mask_layers) == (("vocals",), 5, 2)
    bands = ops.mel_bands(64, 22050, 5)
    assert model.get_layer("band_split").bands == tuple(bands)


def test_queries_and_keys_are_put_in_our_order(write_checkpoint, state):
    model = importers.load(small(), write_checkpoint("model.ckpt", state))
    name = "layers.1.1.layers.0.0.to_qkv.weight"
    kernel = np.asarray(model.get_layer("bands_1").query_key_value.kernel)
    # A head has four features, neighbours in pairs there, (0, 2) and (1, 3) here.
    np.testing.assert_array_equal(kernel[:, :4], state[name][[0, 2, 1, 3]].T)
    np.testing.assert_array_equal(kernel[:, 12:16], state[name][[12, 14, 13, 15]].T)
    np.testing.assert_array_equal(kernel[:, 16:], state[name][16:].T)


def test_each_source_has_its_own_masks(write_checkpoint, state):
    model = importers.load(small(), write_checkpoint("model.ckpt", state))
    for number, source in enumerate("ab"):
        kernel = np.asarray(model.get_layer(f"{source}_masks").networks[3][1].kernel)
        expected = state[f"mask_estimators.{number}.to_freqs.3.0.2.weight"]
        np.testing.assert_array_equal(kernel, expected.T)


def test_weights_of_another_model_leave_the_model_as_it_was(write_checkpoint, state):
    path = write_checkpoint("a.ckpt", state)
    for other in (small(depth=1), small(heads=1, head_features=8), small(MelBandRoFormerLike)):
        before = other.get_weights()
        refused("a.ckpt holds weights of another model", roformer.load, other, path)
        for weight, value in zip(other.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, value)
    refused("a model of OpenUnmixLike", roformer.load, OpenUnmixLike(n_fft=256, hop=64), path)


def test_refusals(write_checkpoint, state, tmp_path):
    path = write_checkpoint("a.ckpt", state)
    refused("2 sources, received the names", roformer.build, path)
    refused("2 sources, received the names", roformer.build, path, sources=["one"])
    refused("without band_split", roformer.build, write_checkpoint("b.ckpt", {"a": np.ones(1)}))
    (tmp_path / "a.yaml").write_text("model: !!python/object/apply:os.getcwd []\ntraining: {}\n")
    refused("expected a YAML file", roformer.build, path)
    (tmp_path / "a.yaml").write_text("model: {stft_hop_length: many}\ntraining: {}\n")
    refused("a.ckpt: received hop='many'", roformer.build, path, sources=["x", "y"])
    del state["layers.0.0.layers.0.0.to_gates.bias"]
    refused("lacks weights", roformer.build, write_checkpoint("c.ckpt", state))
