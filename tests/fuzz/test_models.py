"""Files of models and weights, damaged at random: each gives finite weights, or one line of error.

Bytes are changed, and what the formats are made of: members of archives, fields of configs, headers
and objects of HDF5 files, operations of pickles, descriptions in TensorFlow's indexes.
"""

import json
import pathlib
import shutil
import struct
import time
import zipfile

import h5py
import numpy as np
import pytest

from kerasep import importers, zoo
from kerasep.errors import InputError
from kerasep.importers import tf_table
from kerasep.system import memory
from kerasep.zoo.weights_source import load_file

pytestmark = pytest.mark.slow

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
ENTRIES = ["demucs_like", "unet_like", "conv_tasnet_like", "deep_clustering_like", "wave_unet_like"]
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
NUMBERS = [0, -1, 1, 3, 7, 1.5, -0.5, 1e308, float("nan"), 10**5, 10**9, 10**30]
THINGS = [None, True, "", "x", "a/b", "relu", "keras.ops.sum", "\ud800", [], {}, [[]], ["a", "a"]]
SIZES = [0, 1, 2, 255, 2**15, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1]
SECONDS, BYTES = 60, 600 << 20  # what a case, and all cases together, may take at most


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """By entry: a small model, and the members of its file."""
    made = {}
    for entry in ENTRIES:
        model = zoo.load(entry, **zoo.describe(entry)["tiny"])
        path = tmp_path_factory.mktemp(entry) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            made[entry] = model, {name: archive.read(name) for name in archive.namelist()}
    return made


@pytest.fixture(scope="module", autouse=True)
def _memory(models):
    before = memory.peak()
    yield
    assert memory.peak() - before < BYTES


def outcome(seed, load, path):
    """Return the weights that a file gives, or None if it is refused as it should be."""
    began = time.process_time()
    try:
        model = load(path)
    except InputError as error:
        text = str(error)
        assert "\n" not in text, f"seed {seed}: {text!r}"
        assert len(text.encode()) < 3000, f"seed {seed}: {text!r}"
        assert str(path) in text, f"seed {seed}: {text!r}"
        return None
    finally:
        assert time.process_time() - began < SECONDS, f"seed {seed}"
    weights = model.get_weights()
    assert all(np.isfinite(weight).all() for weight in weights), f"seed {seed}"
    return weights


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def changed(content, rng, most=3):
    """Change some bytes, half of them among the first thousands, where headers are."""
    content = bytearray(content)
    for _ in range(rng.integers(1, most + 1)):
        end = len(content) if rng.random() < 0.5 else min(4096, len(content))
        at = rng.integers(end)
        size = int(rng.choice([1, 2, 4, 8]))
        value = struct.pack("<Q", SIZES[rng.integers(len(SIZES))])[:size]
        content[at : at + size] = value if rng.random() < 0.5 else rng.bytes(size)
    return bytes(content)


def cut(content, rng):
    return content[: rng.integers(len(content))]


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def chosen(models, seed):
    model, members = models[ENTRIES[seed % len(ENTRIES)]]
    return model, dict(members)


def test_configs(cases, models, tmp_path):
    for seed, rng in cases(30):
        model, members = chosen(models, seed)
        config = json.loads(members[CONFIG])
        level = config if rng.random() < 0.2 else config["config"]
        for _ in range(rng.integers(1, 3)):
            name = list(level)[rng.integers(len(level))]
            values = NUMBERS if rng.random() < 0.6 else THINGS
            if level is config["config"] and rng.random() < 0.1:
                del level[name]
            else:
                level[name] = values[rng.integers(len(values))]
        write(tmp_path / "a.keras", {**members, CONFIG: json.dumps(config)})
        weights = outcome(seed, zoo.load, tmp_path / "a.keras")
        # What the shapes of weights do not tell may be another; the weights may not.
        assert weights is None or equal(weights, model.get_weights()), f"seed {seed}"


def test_bytes_of_configs(cases, models, tmp_path):
    for seed, rng in cases(20):
        _, members = chosen(models, seed)
        members[CONFIG] = changed(members[CONFIG], rng)
        write(tmp_path / "a.keras", members)
        outcome(seed, zoo.load, tmp_path / "a.keras")


def test_bytes_of_archives(cases, models, tmp_path):
    path = tmp_path / "a.keras"
    for seed, rng in cases(50):
        model, members = chosen(models, seed)
        if rng.random() < 0.3:
            members.pop(list(members)[rng.integers(len(members))])
        write(path, members)
        content = changed(path.read_bytes(), rng)
        path.write_bytes(cut(content, rng) if rng.random() < 0.2 else content)
        weights = outcome(seed, zoo.load, path)
        # Each member has a checksum.
        assert weights is None or equal(weights, model.get_weights()), f"seed {seed}"


def test_bytes_of_weights(cases, models, tmp_path):
    """Without a checksum of the archive's: the .weights.h5 file itself, into a model."""
    path = tmp_path / "a.weights.h5"
    for seed, rng in cases(30):
        model, members = chosen(models, seed)
        before = model.get_weights()

        def load(path, model=model):
            load_file(model, path)
            return model

        path.write_bytes(changed(members[WEIGHTS], rng))
        if outcome(seed, load, path) is None:
            assert equal(before, model.get_weights()), f"seed {seed}"
        model.set_weights(before)


def test_objects_of_weights(cases, models, tmp_path):
    path = tmp_path / WEIGHTS
    for seed, rng in cases(40):
        _, members = chosen(models, seed)
        path.write_bytes(members[WEIGHTS])
        with h5py.File(path, "r+") as file:
            names = []
            file.visititems(
                lambda name, item, names=names: (
                    names.append(name) if isinstance(item, h5py.Dataset) else None
                )
            )
            for _ in range(rng.integers(1, 3)):
                CHANGES[rng.integers(len(CHANGES))](file, names[rng.integers(len(names))], rng)
        write(tmp_path / "a.keras", {**members, WEIGHTS: path.read_bytes()})
        outcome(seed, zoo.load, tmp_path / "a.keras")


def _replaced(make):
    def change(file, name, rng):
        values = file[name][()] if isinstance(file.get(name), h5py.Dataset) else np.ones(3, "f4")
        if name in file:
            del file[name]
        make(file, name, values, rng)

    return change


def _number(file, name, values, rng):
    values = np.array(values)
    values.ravel()[0] = rng.choice([np.nan, np.inf, -1.0, 1e38])
    file[name] = values


def _declared(file, name, values, rng):
    shape = tuple(int(extent) for extent in rng.choice([1, 3, 10**4, 10**7], values.ndim or 1))
    options = [
        {},
        {"chunks": (1,) * len(shape)},
        {"compression": "gzip", "chunks": (1,) * len(shape)},
    ]
    file.create_dataset(name, shape, "float32", **options[rng.integers(3)])


CHANGES = [
    _replaced(lambda file, name, values, rng: None),
    _replaced(_number),
    _replaced(_declared),
    _replaced(lambda file, name, values, rng: file.update({name: values[..., None]})),
    _replaced(lambda file, name, values, rng: file.update({name: values.astype("float64")})),
    _replaced(lambda file, name, values, rng: file.update({name: values.astype("int8")})),
    _replaced(lambda file, name, values, rng: file.update({name: values.astype("S4")})),
    _replaced(lambda file, name, values, rng: file.update({name: h5py.SoftLink("/")})),
    _replaced(lambda file, name, values, rng: file.update({name: h5py.ExternalLink("a", "b")})),
    _replaced(lambda file, name, values, rng: file.update({name: file["layers"]})),
    _replaced(lambda file, name, values, rng: file.create_group(name)),
    _replaced(
        lambda file, name, values, rng: file.create_dataset(
            name, data=np.atleast_1d(values), compression="gzip", shuffle=True
        )
    ),
]


PYTORCH = {
    "open_unmix/drums.pth": "open_unmix",
    "open_unmix_causal.pth": "open_unmix",
    "asteroid_conv_tasnet.bin": "asteroid",
    "asteroid_dprnn.bin": "asteroid",
}


def test_pytorch_files(cases, tmp_path):
    for seed, rng in cases(60):
        name, project = list(PYTORCH.items())[seed % len(PYTORCH)]
        path = tmp_path / pathlib.Path(name).name
        if zipfile.is_zipfile(GOLDEN / name) and rng.random() < 0.8:
            with zipfile.ZipFile(GOLDEN / name) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            target = list(members)[rng.integers(len(members))]
            if rng.random() < 0.7:
                (target,) = (name for name in members if name.endswith("data.pkl"))
            if members[target]:
                members[target] = changed(members[target], rng)
            if rng.random() < 0.1:
                del members[target]
            write(path, members)
        else:
            content = changed((GOLDEN / name).read_bytes(), rng)
            path.write_bytes(cut(content, rng) if rng.random() < 0.2 else content)
        outcome(seed, getattr(importers, project).build, path)


def _table(entries):
    """Write an index whose checksums are right."""

    def block(pairs):
        body = b""
        for key, value in pairs:
            body += _varint(0) + _varint(len(key)) + _varint(len(value)) + key + value
        return body + struct.pack("<II", 0, 1)

    content = block(entries)
    index = block([(b"~", _varint(0) + _varint(len(content)))])
    out = b""
    for each in (content, index):
        start = len(out)
        out += each + b"\0" + struct.pack("<I", tf_table._checksum(each + b"\0"))
    footer = _varint(0) * 2 + _varint(start) + _varint(len(index))
    return out + footer.ljust(40, b"\0") + tf_table.MAGIC


def _varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def test_tensorflow_checkpoints(cases, tmp_path):
    """TensorFlow ends the process over some of these, if it gets to see them."""
    source = GOLDEN / "spleeter/2stems"
    model = zoo.load(
        "spleeter_like/2stems",
        sample_rate=8000,
        n_fft=256,
        hop=64,
        filters=[2, 2, 3, 3, 4, 4],
        max_hz=63 * 8000 / 256,
        segment=64,
    )
    index, numbers = source / "model.index", source / "model.data-00000-of-00001"
    entries = tf_table._entries(index.read_bytes())
    shutil.copy(numbers, tmp_path)
    path = tmp_path / "model.index"
    path.write_bytes(_table(entries))
    importers.spleeter.load(model, path)
    expected = model.get_weights()

    def load(path):
        return importers.spleeter.load(model, path)

    for seed, rng in cases(100):
        if rng.random() < 0.2:
            path.write_bytes(changed(index.read_bytes(), rng))
        else:
            pairs = list(entries)
            at = rng.integers(len(pairs))
            key, value = pairs[at]
            size = SIZES[rng.integers(len(SIZES))]
            # A field that there is already counts as its last; one more of the shape is appended.
            field = [
                lambda size: b"\x08" + _varint(size),
                lambda size: b"\x12" + _varint(len(_varint(size)) + 3) + _dimension(size),
                lambda size: b"\x18" + _varint(size),
                lambda size: b"\x20" + _varint(size),
                lambda size: b"\x28" + _varint(size),
            ][rng.integers(5)](size)
            pairs[at] = (
                key,
                (changed(value, rng, 1) if rng.random() < 0.5 and value else value + field),
            )
            path.write_bytes(_table(pairs))
        weights = outcome(seed, load, tmp_path / "model")
        assert weights is None or len(weights) == len(expected), f"seed {seed}"


def _dimension(size):
    size = b"\x08" + _varint(size)
    return b"\x12" + _varint(len(size)) + size
