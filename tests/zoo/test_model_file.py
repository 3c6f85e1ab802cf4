"""A .keras file is looked through before anything is built from it, or read into memory."""

import json
import shutil
import sys
import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import SeparationModel
from kerasep.system import memory
from kerasep.zoo import model_file
from kerasep.zoo.weights_source import load_file

SMALL = {"sources": ["vocals"], "hidden": 8, "n_fft": 64, "hop": 16}
CONFIG, WEIGHTS = "config.json", "model.weights.h5"


@pytest.fixture(scope="module")
def model():
    return zoo.load("open_unmix_like/small", **SMALL)


@pytest.fixture(scope="module")
def members(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(members, tmp_path):
    """Function that writes the file with some members changed; None leaves one out."""

    def written(changes, compression=zipfile.ZIP_STORED):
        path = tmp_path / "changed.keras"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, content in {**members, **changes}.items():
                if content is not None:
                    archive.writestr(name, content)
        return path

    return written


@pytest.fixture
def write_config(members, write):
    """Function of changes to the config, and to the arguments in it."""

    def written(changes=(), **arguments):
        config = json.loads(members[CONFIG])
        config["config"].update(arguments)
        return write({CONFIG: json.dumps({**config, **dict(changes)})})

    return written


@pytest.fixture
def change_weights(members, write, tmp_path):
    """Function of a function of the open file of weights; the changed .keras file."""

    def written(change):
        path = tmp_path / WEIGHTS
        path.write_bytes(members[WEIGHTS])
        with h5py.File(path, "r+") as file:
            change(file)
        return write({WEIGHTS: path.read_bytes()})

    return written


def refused(path, message, load=zoo.load):
    before = memory.peak()
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert memory.peak() - before < 300 << 20


def test_unchanged(write, model):
    for first, second in zip(zoo.load(write({})).weights, model.weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_how_the_model_was_compiled_is_left_alone(write_config):
    for garbage in (3, "x", {"optimizer": {"class_name": "os.system"}}, [[[]]]):
        assert zoo.load(write_config({"compile_config": garbage})).hidden == 8


@pytest.mark.parametrize("missing", [CONFIG, WEIGHTS])
def test_missing_members(write, missing):
    refused(write({missing: None}), f"holds no {missing}")


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "assets/x", "model.weights.npz"])
def test_members_of_other_names(write, name):
    refused(write({name: b"x"}), f"holds '{name}', which a model has no use for")


def test_a_member_twice(write, members):
    path = write({})
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(CONFIG, members[CONFIG])
    refused(path, "two members of one name")


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_bombs(write, name):
    refused(write({name: bytes(200 << 20)}, zipfile.ZIP_DEFLATED), "compressed or encrypted")


def test_a_large_config(write):
    refused(write({CONFIG: b" " * (2 << 20)}), f"its {CONFIG} is larger than")


def test_a_size_that_is_declared(write):
    """The directory at the end says four gigabytes where there are some kilobytes."""
    path = write({})
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(WEIGHTS.encode()))
    content[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "unpacks to more than its own size")


def test_an_encrypted_member(write):
    path = write({})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(magic) + offset] |= 1
    path.write_bytes(content)
    refused(path, "compressed or encrypted")


def test_a_changed_byte_of_the_weights(write, members):
    path = write({})
    content = bytearray(path.read_bytes())
    content[content.index(members[WEIGHTS][-3000:]) + 1500] ^= 1
    path.write_bytes(content)
    refused(path, "weights are damaged")


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"class_name": NaN}',
        b'{"class_name": 3}',
        b'{"class_name": "OpenUnmixLike", "config": 3, "registered_name": "kerasep>OpenUnmixLike"}',
        b"1" * 5000,
    ],
    ids=lambda config: config[:12].decode("latin"),
)
def test_configs_that_are_none(write, config):
    refused(write({CONFIG: config}), "saved by kerasep")


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("Lambda", None),
        ("Functional", None),
        ("Sequential", "Sequential"),
        ("SeparationModel", "kerasep>SeparationModel_"),
        ("Separator", "kerasep>Separator"),
        ("MagnitudeSpectrum", "kerasep>MagnitudeSpectrum"),
        ("OpenUnmixLike", "kerasep>DemucsLike"),
        ("__builtins__", "kerasep>__builtins__"),
        ("system", "os>system"),
        ("a\nb", 3),
        ("OpenUnmixLike", {}),
    ],
)
def test_other_classes(write_config, name, registered):
    refused(
        write_config({"class_name": name, "registered_name": registered}),
        "of class .*, expected a model of the zoo",
    )


def test_no_module_is_imported(write_config, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    named = {"module": "evil_module", "class_name": "Evil", "registered_name": "Evil"}
    refused(write_config(named), "of class Evil, expected a model of the zoo")
    assert zoo.load(write_config({"module": "evil_module"})).hidden == 8
    assert "evil_module" not in sys.modules


def test_the_base_of_all_models(write_config):
    base = {"class_name": "SeparationModel", "registered_name": "kerasep>SeparationModel"}
    refused(write_config(base), "changed.keras")


def test_a_class_that_the_program_registered(tmp_path):
    @keras.saving.register_keras_serializable("test_model_file")
    class Scaled(SeparationModel):
        domain = "waveform"

        def __init__(self, sources=("a",), sample_rate=8000, channels=1, name="scaled"):
            waveform = keras.Input((None, channels))
            x = keras.layers.Dense(len(sources))(waveform)
            super().__init__(waveform, keras.layers.Reshape((-1, 1, len(sources)))(x), name=name)
            self.sources, self.sample_rate, self.channels = tuple(sources), sample_rate, channels

    model = Scaled(["a", "b"])
    model.save(tmp_path / "scaled.keras")
    again = zoo.load(tmp_path / "scaled.keras")
    assert type(again) is Scaled
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("hidden", 10**9, "hidden=1000000000, expected at most"),
        ("hidden", 10**400, "a number of 1329 bits"),
        ("hidden", 100_000, "with the same arguments"),
        ("hidden", 4000, "has no array of the shape"),
        ("hidden", "8", "hidden='8', expected a whole number"),
        ("hidden", 8.5, "hidden=8.5"),
        ("hidden", True, "hidden=True"),
        ("hidden", None, "hidden=None"),
        ("hidden", [8], r"hidden=\[8\]"),
        ("hidden", -8, "hidden=-8"),
        ("hidden", 0, "hidden=0"),
        ("n_fft", 10**9, "n_fft=1000000000, expected at most"),
        ("n_fft", 100_000, "has no array of the shape"),
        ("hop", 0, "hop=0"),
        ("sample_rate", 1e300, "sample_rate=1e"),
        ("lstm_layers", 10**9, "lstm_layers=1000000000"),
        ("lstm_layers", 10**5, "at most 1000 layers"),
        ("lstm_layers", 900, "900 layers, but 25 arrays"),
        ("sources", "vocals", "sources='vocals', expected a list"),
        ("sources", [str(i) for i in range(2000)], "at most 1000 layers"),
        ("sources", [["vocals"]], "sources="),
        ("sources", [], "sources="),
        ("sources", {"vocals": 1}, "sources="),
        ("dropout", "x", "dropout='x', expected a number"),
        ("dropout", -3.0, "dropout"),
        ("window", "no_window", "no_window"),
        ("window", {"class_name": "Lambda"}, "window="),
        ("bidirectional", 1, "bidirectional=1, expected True or False"),
        ("name", "a/b", "name='a/b', expected letters"),
        ("name", 3, "name=3"),
        ("no_such", 3, "received argument no_such"),
    ],
)
def test_arguments_that_lie(write_config, argument, value, message):
    refused(write_config(**{argument: value}), message)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none(members, write, text):
    config = members[CONFIG].decode()
    assert '"dropout": 0.0' in config
    refused(write({CONFIG: config.replace('"dropout": 0.0', f'"dropout": {text}')}), CONFIG)


def test_arrays_are_compared_before_the_model_is_built(change_weights, write_config):
    name = "layers/dense/vars/0"

    def larger(file):
        del file[name]
        file.create_dataset(name, (1 << 28,), "float32")

    def smaller(file):
        values = file[name][:-1]
        del file[name]
        file[name] = values

    def absent(file):
        del file[name]

    refused(change_weights(larger), "declares 1073741824 bytes")
    for change in (smaller, absent):
        refused(change_weights(change), r"no array of the shape of 1 of 25, such as vocals_fc\d")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(change_weights, model, value):
    def change(file):
        file["layers/dense_1/vars/0"][3, 2] = value

    path = change_weights(change)
    message = r"vocals_fc2/kernel with 1 of 128 numbers that are not finite \(-?(nan|inf)\)"
    refused(path, message)
    before = model.get_weights()
    refused(path, message, lambda path: load_file(model, path))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    shutil.move(path, path.with_name("model.keras"))
    with pytest.raises(InputError, match=message):
        zoo.load(path.parent)


def test_numbers_beyond_float32(change_weights):
    def change(file):
        values = np.float64(file["layers/dense_1/vars/0"])
        values[0, 0] = 1e300
        del file["layers/dense_1/vars/0"]
        file["layers/dense_1/vars/0"] = values

    refused(change_weights(change), "vocals_fc2/kernel with 1 of 128 numbers that are not finite")


def test_a_variance_below_zero(change_weights):
    def change(file):
        file["layers/batch_normalization/vars/3"][1] = -1e-3

    refused(change_weights(change), "vocals_bn1/moving_variance with a variance of -0.001")


def test_weights_of_a_file_of_another_class(write_config, model):
    named = {"class_name": "DemucsLike", "registered_name": "kerasep>DemucsLike"}
    refused(
        write_config(named),
        "of a DemucsLike, expected weights of open_unmix_like",
        lambda path: model_file.load_weights(model, path),
    )


def test_a_compiled_model_is_restored(tmp_path, model):
    other = zoo.load("open_unmix_like/small", **SMALL)
    other.compile("adam", loss="mse")
    other.optimizer.build(other.trainable_variables)
    other.save(tmp_path / "model.keras")
    again = zoo.load(tmp_path)
    for old, new in zip(other.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
