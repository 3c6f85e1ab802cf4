import json
import pathlib
import pickle
import shutil

import keras
import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers import open_unmix
from kerasep.models import OpenUnmixLike

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
FOLDER = GOLDEN / "open_unmix"
CAUSAL = GOLDEN / "open_unmix_causal.pth"
VOCALS = FOLDER / "vocals-0a1b2c3d.pth"
NUMBERS = np.load(GOLDEN / "open_unmix.npz")


def assert_equal_to_pytorch(model, *targets):
    estimate = keras.ops.convert_to_numpy(model(NUMBERS["magnitude"][..., : model.channels]))
    expected = np.stack([NUMBERS[target] for target in targets], axis=-1)
    np.testing.assert_allclose(estimate, expected, atol=1e-5 * np.abs(expected).max())


def test_the_published_folder_gives_pytorchs_numbers():
    model = open_unmix.build(FOLDER)
    assert model.sources == ("vocals", "drums")
    assert (model.sample_rate, model.hop, model.n_fft, model.channels) == (8000, 16, 64, 2)
    assert_equal_to_pytorch(model, "vocals", "drums")


def test_a_causal_mono_model_gives_pytorchs_numbers():
    model = open_unmix.build({"vocals": CAUSAL}, sample_rate=16000, hop=32)
    assert not model.bidirectional
    assert model.max_hz is None
    assert_equal_to_pytorch(model, "causal")


def test_one_file_loads_into_a_model_of_one_source():
    model = OpenUnmixLike(["voice"], 8000, 2, n_fft=64, hop=16, hidden=12, max_hz=2375)
    assert open_unmix.load(model, VOCALS) is model
    assert_equal_to_pytorch(model, "vocals")


def test_the_order_of_the_models_sources_decides():
    model = OpenUnmixLike(["drums", "vocals"], 8000, 2, n_fft=64, hop=16, hidden=12, max_hz=2400)
    open_unmix.load(model, str(FOLDER))
    assert_equal_to_pytorch(model, "drums", "vocals")


def test_arguments_tell_the_architecture():
    assert open_unmix.arguments(open_unmix.weights(VOCALS)) == {
        "hidden": 12,
        "lstm_layers": 3,
        "bidirectional": True,
        "channels": 2,
        "n_fft": 64,
        "bins": 20,
    }
    causal = open_unmix.arguments(open_unmix.weights(CAUSAL))
    assert (causal["lstm_layers"], causal["bidirectional"], causal["bins"]) == (2, False, 33)


def test_buffers_that_are_no_weights_are_left_out():
    names = open_unmix.weights(VOCALS)
    assert "bn1.running_mean" in names
    assert not [name for name in names if "window" in name or "num_batches" in name]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hidden": 16}, "of another shape (fc1.weight received (12, 40) expected (16, 40)"),
        ({"max_hz": None}, "input_mean received (20,) expected (33,)"),
        ({"channels": 1}, "fc1.weight received (12, 40) expected (12, 20)"),
        (
            {"lstm_layers": 4},
            "8 missing (lstm.weight_ih_l3, lstm.weight_hh_l3, lstm.bias_ih_l3, ...)",
        ),
        (
            {"lstm_layers": 2},
            "8 not expected (lstm.weight_ih_l2, lstm.weight_hh_l2, lstm.bias_ih_l2",
        ),
        ({"bidirectional": False}, "12 not expected (lstm.weight_ih_l0_reverse"),
    ],
)
def test_weights_of_another_model_are_refused_by_name(changes, expected):
    arguments = {"channels": 2, "n_fft": 64, "hop": 16, "hidden": 12, "max_hz": 2400} | changes
    model = OpenUnmixLike(["vocals", "drums"], 8000, **arguments)
    before = model.get_weights()
    with pytest.raises(InputError, match="weights of another model") as caught:
        open_unmix.load(model, FOLDER)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nothing_is_set_when_the_second_source_does_not_fit():
    arguments = {"n_fft": 64, "hop": 16, "hidden": 12, "max_hz": 2400}
    model = OpenUnmixLike(["vocals", "drums"], 8000, 2, **arguments)
    before = model.get_weights()
    with pytest.raises(InputError, match="causal"):
        open_unmix.load(model, {"vocals": VOCALS, "drums": CAUSAL})
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_source_without_a_file_is_named():
    model = OpenUnmixLike(["vocals", "bass"], 8000, 2, n_fft=64, hop=16, hidden=12)
    with pytest.raises(InputError, match="bass has none"):
        open_unmix.load(model, FOLDER)
    with pytest.raises(InputError, match="one file for a model of vocals, bass"):
        open_unmix.load(model, VOCALS)


def test_two_files_of_one_source_are_refused(tmp_path):
    for name in ("vocals.pth", "vocals-0a1b.pth"):
        shutil.copy(VOCALS, tmp_path / name)
    with pytest.raises(InputError, match=r"vocals-0a1b\.pth and vocals\.pth"):
        open_unmix.build(tmp_path)


def test_files_of_different_architectures_are_refused():
    with pytest.raises(InputError, match="different architectures"):
        open_unmix.build({"vocals": VOCALS, "drums": CAUSAL})


def test_a_folder_without_checkpoints_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no \.pth file"):
        open_unmix.build(tmp_path)
    with pytest.raises(InputError, match="none"):
        open_unmix.build(tmp_path / "none")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_separator_file_with_a_byte_order_mark(tmp_path, encoding):
    shutil.copy(VOCALS, tmp_path / "vocals.pth")
    (tmp_path / "separator.json").write_text('{"sample_rate": 8000}', encoding)
    assert open_unmix.build(tmp_path).sample_rate == 8000


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"sample_rate": "fast"})])
def test_a_broken_separator_file_is_refused(tmp_path, content):
    shutil.copy(VOCALS, tmp_path / "vocals.pth")
    (tmp_path / "separator.json").write_text(content)
    if content == "[]":
        assert open_unmix.build(tmp_path).sample_rate == 44100
    else:
        with pytest.raises(InputError, match=r"separator\.json"):
            open_unmix.build(tmp_path)


@pytest.mark.parametrize("state", [{}, {"encoder.weight": np.zeros(3)}])
def test_another_networks_state_is_refused(state):
    with pytest.raises(InputError, match="without Open-Unmix's input_mean"):
        open_unmix.arguments(state)


@pytest.mark.parametrize("name", ["fc1.weight", "fc2.weight", "fc3.weight"])
def test_a_state_that_contradicts_itself_is_refused(name):
    state = open_unmix.weights(VOCALS)
    state[name] = state[name][:-1]
    with pytest.raises(InputError, match="expected Open-Unmix's"):
        open_unmix.arguments(state)


def test_a_hostile_checkpoint_is_refused(tmp_path):
    path = tmp_path / "vocals.pth"
    path.write_bytes(pickle.dumps({"input_mean": keras.Model}))
    with pytest.raises(InputError, match="not a PyTorch file"):
        open_unmix.build(path)


def test_another_kind_of_model_is_refused():
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(InputError, match="received a model of Sequential, expected OpenUnmixLike"):
        open_unmix.load(other, VOCALS)


def test_names_with_an_underscore_before_the_hash(tmp_path):
    """As the speech enhancement models are published: speech_f5e0d9f9.pth."""
    shutil.copy(VOCALS, tmp_path / "speech_f5e0d9f9.pth")
    shutil.copy(VOCALS, tmp_path / "lead_vocals.pth")
    assert open_unmix.build(tmp_path).sources == ("lead_vocals", "speech")
