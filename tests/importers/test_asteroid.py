import pathlib
import zipfile

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import asteroid, torch_file
from kerasep.models import ConvTasNetLike, DPRNNLike, TasNetLike

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
CONV, DPRNN = GOLDEN / "asteroid_conv_tasnet.bin", GOLDEN / "asteroid_dprnn.bin"
NUMBERS = np.load(GOLDEN / "asteroid.npz")


def assert_equal_to_pytorch(model, name):
    outputs = convert_to_numpy(model(NUMBERS["waveform"]))
    expected = NUMBERS[name]
    np.testing.assert_allclose(outputs, expected, atol=1e-5 * np.abs(expected).max())


def altered(monkeypatch, **settings):
    """Let every file have other settings."""
    read = torch_file.read_checkpoint

    def other(path):
        contents, state = read(path)
        return {**contents, "model_args": {**contents["model_args"], **settings}}, state

    monkeypatch.setattr(asteroid, "read_checkpoint", other)


def test_conv_tasnet_gives_pytorchs_numbers():
    model = asteroid.build(CONV, ["anna", "bert"])
    assert type(model) is ConvTasNetLike
    assert model.sources == ("anna", "bert")
    assert (model.sample_rate, model.filters, model.skip, model.latency) == (8000, 8, 5, None)
    assert_equal_to_pytorch(model, "conv_tasnet")


def test_an_old_file_of_dprnn_gives_pytorchs_numbers():
    model = asteroid.build(DPRNN)
    assert type(model) is DPRNNLike
    assert model.sources == ("source_1", "source_2", "source_3")
    assert (model.chunk, model.chunk_hop, model.mask_activation) == (10, 5, "sigmoid")
    assert_equal_to_pytorch(model, "dprnn")


def test_loading_into_a_model_that_there_is():
    arguments = {"filters": 8, "bottleneck": 4, "hidden": 6, "skip": 5, "blocks": 3, "repeats": 1}
    model = ConvTasNetLike(**arguments)
    assert importers.load(model, CONV) is model
    assert_equal_to_pytorch(model, "conv_tasnet")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mask_activation": "sigmoid"}, "mask_activation='sigmoid' but the file has 'relu'"),
        ({"norm": "layer"}, "norm='layer'"),
        ({"hop": 4}, "hop=4"),
        ({"causal": True}, "causal=True"),
        ({"hidden": 7}, "of another shape"),
        ({"skip": 0}, "not expected"),
        ({"sources": ["a", "b", "c"]}, "of another shape"),
    ],
)
def test_other_models_are_refused_and_left_alone(changes, expected):
    arguments = {"filters": 8, "bottleneck": 4, "hidden": 6, "skip": 5, "blocks": 3, "repeats": 1}
    model = ConvTasNetLike(**{**arguments, **changes})
    before = model.get_weights()
    with pytest.raises(InputError, match=r"asteroid\.build") as caught:
        asteroid.load(model, CONV)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    for weight, value in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_another_class_is_refused():
    with pytest.raises(InputError, match=r"of TasNetLike, expected ConvTasNetLike"):
        asteroid.load(TasNetLike(filters=8, hidden=4, lstm_layers=1), CONV)


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(InputError, match="received 3 sources"):
        asteroid.build(CONV, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("path", "settings", "expected"),
    [
        (CONV, {"norm_type": "fgLN"}, "norm_type='fgLN'"),
        (CONV, {"fb_name": "stft"}, "fb_name='stft'"),
        (CONV, {"mask_act": "prelu"}, "mask_act='prelu'"),
        (CONV, {"out_chan": 9}, "out_chan=9"),
        (CONV, {"n_blocks": "3"}, "n_blocks='3'"),
        (CONV, {"n_src": -1}, "n_src=-1"),
        (
            CONV,
            {"n_filters": 999_999, "out_chan": None, "in_chan": None},
            "filters=999999, expected at most",
        ),
        (CONV, {"hid_chan": 999_999}, "hidden=999999, expected at most"),
        (CONV, {"n_repeats": 999}, "at most 1000 layers"),
        (CONV, {"hid_chan": 60_000}, "of a ConvTasNetLike with its settings"),
        (CONV, {"n_blocks": 2}, "not expected (masker.TCN.2.shared_block.0.weight"),
        (DPRNN, {"hid_size": 30_000}, "of a DPRNNLike with its settings"),
        (CONV, {"sample_rate": float("nan")}, "sample_rate=nan"),
        (DPRNN, {"use_mulcat": True}, "use_mulcat=True"),
        (DPRNN, {"rnn_type": "GRU"}, "rnn_type='GRU'"),
        (DPRNN, {"num_layers": 2}, "num_layers=2"),
        (DPRNN, {"mask_act": "softmax"}, "mask_act='softmax'"),
        (DPRNN, {"norm_type": "cgLN"}, "norm_type='cgLN'"),
    ],
)
def test_settings_without_an_equal_are_refused(monkeypatch, path, settings, expected):
    altered(monkeypatch, **settings)
    with pytest.raises(InputError, match=path.name) as caught:
        asteroid.build(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no model_name, model_args, state_dict, expected a file"):
        asteroid.build(GOLDEN / "open_unmix" / "drums.pth")
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(InputError, match=r"model\.pth is not a PyTorch file"):
        asteroid.build(tmp_path / "model.pth")
