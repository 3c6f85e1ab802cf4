import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import scnet
from kerasep.models import OpenUnmixLike, SCNetLike

SIZES = {"n_fft": 128, "hop": 32, "features": [4, 8], "depth": 1, "sources": ["a", "b"]}
SETTINGS = """
audio: {sample_rate: 22050}
model:
  nfft: 128
  hop_size: 24
  band_SR: [0.3, 0.3, 0.4]
  band_stride: !!python/tuple [1, 4, 16]
training:
  instruments: [Lead Vocals, other]
"""


def small(**changes):
    return SCNetLike(**{**SIZES, **changes})


@pytest.fixture
def state(state_of):
    return state_of(scnet._slots(small()))


def refused(message, function, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_sizes_come_from_the_shapes_and_the_settings(write_checkpoint, state, tmp_path):
    path = write_checkpoint("model.th", {"best_state": state})
    (tmp_path / "model.yaml").write_text(SETTINGS)
    model = scnet.build(path)
    assert model.trained
    assert (model.sources, model.sample_rate) == (("lead_vocals", "other"), 22050)
    assert (model.n_fft, model.hop, model.channels) == (128, 24, 2)
    assert [tuple(band) for band in model.bands] == [
        (0.3, 1, 3, 3),
        (0.3, 4, 4, 2),
        (0.4, 16, 16, 1),
    ]
    assert (model.features, model.depth, model.expansion) == ((4, 8), 1, 1)
    assert model.compression == 4


def test_without_settings_the_bands_are_the_published_ones(write_checkpoint, state):
    model = scnet.build(write_checkpoint("model.ckpt", state), sources=["x", "y"])
    assert (model.sources, model.n_fft, model.hop) == (("x", "y"), 4096, 1024)
    assert [band[0] for band in model.bands] == [0.175, 0.392, 0.433]


def test_every_weight_in_its_place(write_checkpoint, state):
    state = {f"module.{name}": value for name, value in state.items()}
    model = importers.load(small(), write_checkpoint("a.ckpt", {"state": state}))

    def theirs(name):
        return state[f"module.{name}"]

    def ours(layer):
        return convert_to_numpy(model.get_layer(layer).kernel)

    # Bins times frames there, frames times bins here.
    kernel = theirs("encoder.1.SDlayer.convs.2.weight")
    np.testing.assert_array_equal(ours("encoder_1_2_conv")[0, 5], kernel[:, :, 5, 0].T)
    kernel = theirs("decoder.0.1.convtrs.2.weight")  # of the lowest level
    np.testing.assert_array_equal(ours("decoder_1_2_conv")[0, 5], kernel[:, :, 5, 0].T)
    kernel = theirs("decoder.1.0.conv.weight")
    np.testing.assert_array_equal(ours("decoder_0_conv")[0, 2], kernel[:, :, 2, 0].T)
    depthwise = model.get_layer("encoder_0_0_module").steps[2][2]
    np.testing.assert_array_equal(
        convert_to_numpy(depthwise.kernel)[1, :, 0],
        theirs("encoder.0.conv_modules.0.layers.2.3.weight")[:, 0, 1],
    )
    lstm = model.get_layer("dual_path_1_frames").lstm.cells[0].backward_layer
    name = "separation_net.dp_modules.1.lstm_layers.1.weight_hh_l0_reverse"
    np.testing.assert_array_equal(convert_to_numpy(lstm.cell.recurrent_kernel), theirs(name).T)


def test_what_does_not_fit(write_checkpoint, state, tmp_path):
    path = write_checkpoint("a.ckpt", state)
    for other in (small(depth=2), small(features=[4, 12]), small(sources=["a"])):
        refused("a.ckpt holds weights of another model.*scnet.build", scnet.load, other, path)
        assert not other.trained
    refused("a model of OpenUnmixLike", scnet.load, OpenUnmixLike(n_fft=256, hop=64), path)
    refused("2 sources, received the names", scnet.build, path)
    refused("without encoder.0", scnet.build, write_checkpoint("b.ckpt", {"a": np.ones(1)}))
    (tmp_path / "a.yaml").write_text("model: {band_SR: [0.5, 0.5]}\ntraining: {}\n")
    refused("its settings do not fit", scnet.build, path, sources=["x", "y"])
    (tmp_path / "a.yaml").write_text("model: {nfft: many}\ntraining: {}\n")
    refused("a.ckpt: received n_fft='many'", scnet.build, path, sources=["x", "y"])
    del state["encoder.0.conv_modules.0.layers.0.6.weight"]
    refused("lacks weights of SCNet", scnet.build, write_checkpoint("c.ckpt", state))
