"""The C code under sanitizers, fed with lies and damage; and whether it judges as Python does."""

import importlib.util
import pathlib
import struct

import numpy as np
import pytest
import soundfile

from kerasep.errors import InputError
from kerasep.tflite import Runtime
from kerasep.tflite.format.metadata import with_metadata, with_text

pytestmark = pytest.mark.slow

_place = pathlib.Path(__file__).parents[1] / "tflite" / "native" / "conftest.py"
_spec = importlib.util.spec_from_file_location("native_fixtures", _place)
native = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(native)
tiny_parts, build, run = native.tiny_parts, native.build, native.run
LEAST_DB = 110


@pytest.fixture(scope="module")
def sanitized(build, tmp_path_factory):
    """Folder of the library and its programs; skips without a compiler or libcjson."""
    folder = tmp_path_factory.mktemp("sanitized")
    done = build(folder, ("all", f"{folder}/fuzz"), flags=native.SANITIZED)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def separate(sanitized, run, tmp_path):
    """Function of (model, recording, seed) that returns stems, or the line of a refusal."""

    def separate(model, recording, seed):
        stems = tmp_path / "stems"
        done = run(sanitized / "kerasep-native", "--overwrite", model, recording, stems)
        assert done.returncode in (0, 1), (seed, done.stderr[-3000:])
        assert "Sanitizer" not in done.stderr, (seed, done.stderr[-3000:])
        if done.returncode:
            line = done.stderr.splitlines()[-1]
            assert line.startswith("error: "), (seed, done.stderr)
            return line
        paths = [pathlib.Path(line) for line in done.stdout.splitlines()]
        return {
            path.stem: soundfile.read(path, dtype="float32", always_2d=True)[0] for path in paths
        }

    return separate


def assert_agrees(received, expected, seed):
    assert received.keys() == expected.keys(), seed
    for name, stem in expected.items():
        assert received[name].shape == stem.shape, seed
        error = np.sum((received[name] - stem) ** 2, dtype="float64")
        ratio = 10 * np.log10(np.sum(stem**2, dtype="float64") / max(error, 1e-30))
        assert ratio > LEAST_DB, f"seed {seed}, {name}: {ratio:.1f} dB"


def settings(rng):
    """Settings that may be true, though not always together."""
    return {
        "hop": int(rng.choice([1, 2, 8, 25, 50, 100, 400])),
        "overlap": int(rng.integers(0, 210)),
        "sample_rate": int(rng.choice([1000, 8000, 44100, 768000])),
        "interchangeable": bool(rng.random() < 0.5),
        "sources": ["ä", "b_1"],
    }


def test_python_and_c_judge_files_alike(cases, lie, tiny_parts, separate, tmp_path):
    content, about = tiny_parts
    audio = 0.1 * np.random.default_rng(0).standard_normal((3001, 1)).astype("float32")
    path, outcomes = tmp_path / "a.tflite", {"separated": 0, "refused": 0}
    for seed, rng in cases(60):
        if rng.random() < 0.4:
            path.write_bytes(with_metadata(content, about | settings(rng)))
        else:
            path.write_bytes(with_text(content, lie(rng, about)))
        try:
            runtime = Runtime(path, threads=1)
            assert runtime.mode == "separate", seed
            rate, expected = runtime.sample_rate, runtime.separate(audio)
        except InputError:
            rate, expected = 8000, None
        soundfile.write(tmp_path / "a.wav", audio, rate, "FLOAT")
        received = separate(path, tmp_path / "a.wav", seed)
        assert isinstance(received, str) == (expected is None), (seed, received)
        if expected is not None:
            assert_agrees(received, expected, seed)
        outcomes["refused" if expected is None else "separated"] += 1
    assert min(outcomes.values()) > 5, outcomes


def test_python_and_c_judge_metadata_alike(cases, lie, tiny_parts, sanitized, run, tmp_path):
    """The same without LiteRT, so that many cases take little time; and each damaged further."""
    content, about = tiny_parts
    path, text = tmp_path / "a.tflite", tmp_path / "a.json"
    for seed, rng in cases(75):
        json = lie(rng, about)
        text.write_bytes(json or b" ")
        path.write_bytes(with_text(content, json or b" "))
        try:
            accepted = Runtime(path, threads=1).mode == "separate"
        except InputError as error:
            # The tensors, which C sees later, may contradict what is within bounds.
            accepted = "is not as its metadata says" in str(error)
        done = run(sanitized / "fuzz", "json", text, 1)
        assert done.returncode == 0, (seed, done.stderr[-3000:])
        assert done.stdout.startswith("1 accepted" if accepted else "0 accepted"), (seed, json)
        done = run(sanitized / "fuzz", "json", text, 50)
        assert done.returncode == 0, (seed, done.stderr[-3000:])


def wav(rng, data):
    """A WAV file at the model's own rate, with a lie or two in its header."""
    channels = int(rng.choice([1, 1, 2, 3, 64, 65, 0]))
    kind, bits = ((1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64), (1, 12), (6, 8))[
        rng.integers(8) if rng.random() < 0.7 else 1
    ]
    block = channels * ((bits + 7) // 8)
    if rng.random() < 0.1:
        block = int(rng.integers(65536))
    rate = 8000 if rng.random() < 0.85 else int(rng.choice([0, 1, 2, 999, 768001, 2**31 - 1]))
    about = struct.pack("<HHIIHH", kind, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    size = len(data)
    if rng.random() < 0.3:
        odd = [0, 1, size + 1, size - 1, size // 2, 0xFFFFFFFF, 0x7FFFF000, 0x80000000]
        size = int(rng.choice(odd))
    before = rng.choice(
        [b"", b"LIST\x03\0\0\0abc\0", b"junk\xff\xff\xff\x7f", b"ds64\x04\0\0\0abcd"]
    )
    wide = struct.pack("<4sIQQQI", b"ds64", 28, 0, int(rng.choice([0, len(data), 2**63])), 0, 0)
    head = b"RF64" if rng.random() < 0.2 else b"RIFF"
    chunks = (wide if head == b"RF64" else b"") + bytes(before) + b"fmt \x10\0\0\0" + about
    chunks += b"data" + struct.pack("<I", size) + data
    content = bytearray(head + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    if rng.random() < 0.2:
        for at in rng.integers(0, len(content), 3):
            content[at] = rng.integers(256)
    return bytes(content[: rng.integers(len(content))] if rng.random() < 0.1 else content)


def test_recordings_that_lie(cases, tiny_parts, separate, sanitized, run, tmp_path):
    model, path = tmp_path / "a.tflite", tmp_path / "a.wav"
    model.write_bytes(with_metadata(*tiny_parts))
    outcomes = {"separated": 0, "refused": 0}
    for seed, rng in cases(80):
        samples = (1000 * rng.standard_normal(rng.integers(1, 4000))).astype("<i2")
        path.write_bytes(wav(rng, samples.tobytes()))
        received = separate(model, path, seed)
        outcomes["refused" if isinstance(received, str) else "separated"] += 1
        if not isinstance(received, str):
            assert set(received) == {"same", "square"}, seed
            assert all(np.isfinite(stem).all() and stem.size for stem in received.values()), seed
        done = run(sanitized / "fuzz", "wav", path, 50) if path.stat().st_size else None
        assert done is None or done.returncode == 0, (seed, done.stderr[-3000:])
    assert min(outcomes.values()) > 10, outcomes


def test_damaged_models_crash_nothing(cases, tiny_parts, separate, tmp_path):
    model, path = tmp_path / "a.tflite", tmp_path / "a.wav"
    content = with_metadata(*tiny_parts)
    soundfile.write(path, 0.1 * np.ones((500, 1)), 8000)
    for seed, rng in cases(30):
        changed = bytearray(content)
        for at in rng.integers(8, len(changed), rng.choice([1, 3])):
            changed[at] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        cut = rng.integers(len(changed)) if rng.random() < 0.2 else len(changed)
        model.write_bytes(changed[:cut])
        separate(model, path, seed)
