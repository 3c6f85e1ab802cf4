"""Spleeter's checkpoints give Spleeter's numbers; those of others are refused."""

import functools
import gzip
import json
import math
import pathlib
import shutil
import tarfile

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

import kerasep
from kerasep import importers, ops
from kerasep.errors import InputError
from kerasep.importers import spleeter, tar_archive, tf_checkpoint
from kerasep.models import SpleeterLike

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
FOLDER = GOLDEN / "spleeter"
FRAME, STEP, SEGMENT, LEAD = 256, 64, 64, 2
# Every so many frames and bins, or samples, are kept.
THIN, THIN_SAMPLES = (slice(None, None, 8), slice(None, None, 4)), slice(None, None, 17)
SETTINGS = {
    "2stems": {},
    "4stems": {"activation": "elu"},
    "5stems": {"activation": "elu", "mask": "softmax"},
}
STEMS = pytest.mark.parametrize("name", SETTINGS)


@pytest.fixture(scope="module")
def numbers():
    with np.load(GOLDEN / "spleeter.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def magnitude(numbers):
    """What the model takes for Spleeter's frames, after the two of zeros that it puts in front."""
    waveform = numbers["waveform"].astype("float32")
    frames = -(-(len(waveform) + FRAME) // STEP)
    padded = np.pad(waveform, ((FRAME, frames * STEP - len(waveform)), (0, 0)))
    spectrum = ops.stft(padded[None], FRAME, STEP, center=False)
    return convert_to_numpy(ops.magnitude(spectrum))[:, LEAD:frames]


def model(name, **changes):
    settings = {
        "sources": spleeter.STEMS[int(name[0])],
        "sample_rate": 8000,
        "n_fft": FRAME,
        "hop": STEP,
        "filters": [2, 2, 3, 3, 4, 4],
        "max_hz": 63 * 8000 / FRAME,
        "segment": SEGMENT,
    }
    return SpleeterLike(**{**settings, **SETTINGS[name], **changes})


@functools.cache
def loaded(name, **changes):
    return spleeter.load(model(name, **changes), FOLDER / name)


def assert_equal_to_spleeter(ours, theirs):
    assert np.abs(convert_to_numpy(ours)[0] - theirs).max() < 1e-4 * np.abs(theirs).max()


@STEMS
def test_outputs_are_spleeters(numbers, magnitude, name):
    outputs = convert_to_numpy(loaded(name)(magnitude))
    assert_equal_to_spleeter(outputs[:, :, :64][:, *THIN], numbers[f"{name}_outputs"])
    assert not outputs[:, :, 64:].any()


@STEMS
@pytest.mark.parametrize("extension", ["zeros", "average"])
def test_estimates_are_spleeters(numbers, magnitude, name, extension):
    estimates = loaded(name, extension=extension).estimate(magnitude)
    shares = convert_to_numpy(estimates) / magnitude[..., None]
    assert_equal_to_spleeter(shares[:, *THIN], numbers[f"{name}_masks_{extension}"])


@STEMS
def test_batch_norms_train_as_spleeters_layers(numbers, magnitude, name):
    outputs = loaded(name, dropout=0.0)(magnitude, training=True)
    outputs = convert_to_numpy(outputs)[:, :, :64]
    assert_equal_to_spleeter(outputs[:, *THIN], numbers[f"{name}_training"])


@STEMS
def test_waveforms_are_spleeters(numbers, name):
    """All segments but the first and the last are exact; these see other frames at the ends."""
    waveform = numbers["waveform"].astype("float32")[None]
    padded = np.pad(waveform, ((0, 0), (0, -waveform.shape[1] % STEP), (0, 0)))
    ours = convert_to_numpy(kerasep.Separator(loaded(name))(padded))
    ours = ours[0, : waveform.shape[1]][THIN_SAMPLES]
    theirs = numbers[f"{name}_waveforms"]
    # Segments are of 64 frames, the first of which begins 2 before the first sample.
    inside = slice(*(-(-edge * STEP // 17) for edge in (SEGMENT, 3 * SEGMENT - 2 * LEAD)))
    error = np.abs(ours - theirs)
    assert error[inside].max() < 1e-4 * np.abs(theirs).max()
    ratio = 10 * np.log10(np.sum(theirs**2) / np.sum((ours - theirs) ** 2))
    assert ratio > 20


def test_the_order_of_the_models_sources_decides(magnitude):
    names = ("other", "vocals", "bass", "drums")
    expected = loaded("4stems")(magnitude)
    outputs = loaded("4stems", sources=names)(magnitude)
    order = [spleeter.STEMS[4].index(name) for name in names]
    np.testing.assert_allclose(outputs, convert_to_numpy(expected)[..., order], atol=1e-6)


def test_other_names_are_taken_in_order(magnitude):
    expected = loaded("2stems")(magnitude)
    outputs = loaded("2stems", sources=("voice", "rest"))(magnitude)
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_a_checkpoint_is_found_by_any_of_its_names(tmp_path):
    folder = FOLDER / "2stems"
    for path in (folder, folder / "model", folder / "model.index", str(folder / "model.index")):
        assert tf_checkpoint.find(path) == folder / "model"
    assert tf_checkpoint.find(folder / "model.data-00000-of-00001") == folder / "model"
    for file in folder.glob("model.*"):
        shutil.copy(file, tmp_path / file.name.replace("model", "step.7"))
    assert tf_checkpoint.find(tmp_path) == tmp_path / "step.7"
    assert tf_checkpoint.read(tmp_path).keys() == tf_checkpoint.read(folder).keys()


def archive(path, *members):
    """Write a gzipped tar file of (name in it, file on disk)."""
    with tarfile.open(path, "w:gz") as file:
        for name, source in members:
            file.add(source, arcname=name)
    return path


def test_an_archive_with_a_checkpoint(tmp_path):
    files = [(f"./{file.name}", file) for file in sorted((FOLDER / "2stems").iterdir())]
    other = FOLDER / "4stems" / "model.index"
    strays = [("../../._model.index", other), ("2stems/training.index", other)]
    path = archive(tmp_path / "2stems.tar.gz", *files, *strays)
    expected = spleeter.weights(FOLDER / "2stems")
    found = spleeter.weights(path)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    assert [file.name for file in tmp_path.iterdir()] == ["2stems.tar.gz"]


def test_archives_that_are_damaged_too_large_or_of_something_else(tmp_path, monkeypatch):
    path = archive(tmp_path / "none.tar.gz", ("readme.txt", FOLDER / "2stems/model.index"))
    with pytest.raises(InputError, match=r"none.tar.gz holds no file named model"):
        spleeter.weights(path)
    whole = archive(tmp_path / "2stems.tar.gz", ("model.index", FOLDER / "2stems/model.index"))
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[:300])
    with pytest.raises(InputError, match=r"cut.tar.gz is a damaged archive .*fetch it again"):
        spleeter.weights(tmp_path / "cut.tar.gz")
    (tmp_path / "no.tar.gz").write_bytes(gzip.compress(b"no archive" * 100))
    with pytest.raises(InputError, match=r"no.tar.gz is a damaged archive"):
        spleeter.weights(tmp_path / "no.tar.gz")
    monkeypatch.setattr(tar_archive, "_LARGEST", 100)
    with pytest.raises(InputError, match="unpacks to more than 100 bytes"):
        spleeter.weights(whole)


def test_several_checkpoints_in_a_folder_are_refused(tmp_path):
    for name in ("a.index", "b.index"):
        shutil.copy(FOLDER / "2stems/model.index", tmp_path / name)
    with pytest.raises(InputError, match=r"2 checkpoints \(a\.index, b\.index\)"):
        tf_checkpoint.find(tmp_path)


def test_what_training_leaves_is_left_out():
    assert "conv2d/kernel/Adam" in tf_checkpoint.read(FOLDER / "2stems")
    names = spleeter.weights(FOLDER / "2stems")
    assert "conv2d/kernel" in names
    assert not [name for name in names if "Adam" in name or "/" not in name]


def test_names_and_shapes_of_spleeters_full_size():
    """All that a training run of two stems saves is used, but what only training needs."""
    shapes = json.loads((GOLDEN / "spleeter_variables.json").read_text())
    full = SpleeterLike()
    found = {}
    for index, source in enumerate(full.sources):
        for slot in spleeter._slots(full, source, index):
            found |= dict(zip(slot.names, slot.shapes, strict=True))
    kept = {name: tuple(shape) for name, shape in shapes.items() if "Adam" not in name}
    norms = ("batch_normalization_5", "batch_normalization_17")
    dead = {name for name in kept if name.split("/")[0] in norms}
    assert len(dead) == 8
    assert found == {name: kept[name] for name in kept if "/" in name and name not in dead}
    assert sum(math.prod(shape) for shape in found.values()) == 2 * 9_824_711


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("4stems", {}, "missing (conv2d_14/kernel"),
        ("2stems", {"sources": ["vocals"]}, "not expected (batch_normalization_1"),
        ("2stems", {"filters": [2, 2, 3, 3, 4, 5]}, "conv2d_5/kernel received (5, 5, 4, 4) expect"),
        ("2stems", {"filters": [2, 2, 3, 3, 4]}, "of another shape"),
        ("2stems", {"channels": 1}, "conv2d/kernel received (5, 5, 2, 2) expected (5, 5, 1, 2)"),
    ],
)
def test_weights_of_another_model_are_refused_by_name(name, changes, message):
    other = model(name, **changes)
    before = other.get_weights()
    with pytest.raises(InputError, match="weights of another model") as caught:
        spleeter.load(other, FOLDER / "2stems")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    for old, new in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_damaged_and_missing_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="none, expected a TensorFlow checkpoint"):
        importers.load(model("2stems"), tmp_path / "none")
    (tmp_path / "text.index").write_text("no table")
    with pytest.raises(InputError, match=r"text\.index, expected a TensorFlow checkpoint"):
        spleeter.weights(tmp_path / "text.index")
    shutil.copy(FOLDER / "2stems/model.index", tmp_path)
    with pytest.raises(InputError, match="damaged or lacks its numbers") as caught:
        spleeter.weights(tmp_path)
    assert "\n" not in str(caught.value)
    numbers = (FOLDER / "2stems/model.data-00000-of-00001").read_bytes()
    (tmp_path / "model.data-00000-of-00001").write_bytes(numbers[:1000])
    with pytest.raises(InputError, match="damaged or lacks its numbers"):
        spleeter.weights(tmp_path / "model.index")


def test_another_kind_of_model_is_refused():
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(InputError, match="received a model of Sequential, expected SpleeterLike"):
        spleeter.load(other, FOLDER / "2stems")
