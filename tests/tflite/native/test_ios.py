"""The Swift package on Linux, with LiteRT's C library in place of TensorFlowLiteSwift."""

import importlib.util
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import soxr

from kerasep.tflite import Runtime
from tests.tflite.native.metadata_texts import metadata_texts

TFLITE = pathlib.Path(__file__).parents[3] / "tflite"
HARNESS = pathlib.Path(__file__).parent / "ios"
LITERT = pathlib.Path(importlib.util.find_spec("ai_edge_litert").origin).parent
# Foundation refuses a number that no double holds.
REFUSED = "a number beyond a float"
TIMING = {"hop": 8, "frame": 24, "lag": 16, "silence": 0, "ends": "mirror"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def swift(tmp_path_factory, built):
    """Function of arguments that runs the compiled sources."""
    if shutil.which("swiftc") is None:
        pytest.skip("there is no Swift: apt-get install swiftlang, in Debian 13 or later")
    program = tmp_path_factory.mktemp("swift") / "kerasep"
    sources = [*sorted((TFLITE / "ios" / "Sources").rglob("*.swift")), HARNESS / "main.swift"]
    objects = [built / f"{name}.o" for name in ("model", "graphs", "error")]
    command = ["swiftc", "-O", "-swift-version", "5", "-warnings-as-errors", "-o", program]
    command += ["-import-objc-header", HARNESS / "litert.h", *sources, *objects]
    command += [f"-L{LITERT}", "-lLiteRt", "-Xlinker", "-rpath", "-Xlinker", LITERT]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def run(*arguments):
        return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)

    return run


@pytest.fixture
def separated(swift, tmp_path):
    """Function of (model, audio, rate, *options) that returns the stems."""

    def separated(model, audio, rate, *options):
        audio.tofile(tmp_path / "in")
        arguments = (tmp_path / "in", tmp_path / "out", audio.shape[1], rate, *options)
        done = swift("separate", model, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        stems = np.fromfile(tmp_path / "out", "float32").reshape(-1, *audio.shape)
        return dict(zip(Runtime(model, threads=1).sources, stems, strict=True))

    return separated


@pytest.mark.parametrize(("samples", "channels"), [(2, 1), (400, 2), (401, 1), (3001, 3)])
def test_recordings_equal_the_runtime(separated, tiny, noise, assert_agrees, samples, channels):
    audio = noise(samples, channels)
    assert_agrees(separated(tiny, audio, 8000), Runtime(tiny, threads=1).separate(audio))


def test_a_real_model_equals_the_runtime(separated, exported, noise, assert_agrees):
    audio = noise(20011, 3)
    expected = Runtime(exported[1], threads=1).separate(audio)
    assert_agrees(separated(exported[1], audio, 8000), expected)


@pytest.mark.parametrize("rate", [24000, 22050])
def test_other_rates_equal_the_runtime(
    separated, at_its_own_rate, karaoke, noise, assert_agrees, rate
):
    audio = noise(30001, 2)
    expected = at_its_own_rate(karaoke, audio, rate, "accompaniment")
    assert_agrees(separated(karaoke, audio, rate), expected, 100)
    expected = at_its_own_rate(karaoke, audio, rate)
    assert_agrees(separated(karaoke, audio, rate, "model"), expected, 100)


@pytest.mark.parametrize(
    ("rate", "new_rate", "least_db"),
    [(48000, 16000, 125), (44100, 16000, 110), (16000, 44100, 105), (48000, 44100, 110)],
)
def test_resampling_is_that_of_soxr(
    swift, noise, tmp_path, assert_agrees, rate, new_rate, least_db
):
    audio = noise(20000, 2)
    audio.tofile(tmp_path / "in")
    done = swift("resample", "-", tmp_path / "in", tmp_path / "out", 2, rate, new_rate)
    assert done.returncode == 0, done.stderr
    received = np.fromfile(tmp_path / "out", "float32").reshape(-1, 2)
    expected = soxr.resample(audio, rate, new_rate)
    assert received.shape == expected.shape
    assert_agrees({"noise": received}, {"noise": expected}, least_db)


@pytest.mark.parametrize("blocks", [[1] * 77, [77], [3, 200, 0, 4]])
def test_blocks_of_any_size_come_out_as_they_went_in(swift, toy, noise, tmp_path, blocks):
    audio = noise(sum(blocks), 2)
    audio.tofile(tmp_path / "in")
    model = toy(tmp_path / "model", TIMING)
    done = swift("stream", model, tmp_path / "in", tmp_path / "out", 2, 8000, *blocks)
    assert done.returncode == 0, done.stdout + done.stderr
    given = np.fromfile(tmp_path / "out", "float32").reshape(-1, 2, 2)
    np.testing.assert_array_equal(given[..., 0], audio)


def test_it_refuses_and_accepts_what_python_does(swift, tiny_parts, tmp_path):
    about = tiny_parts[1]
    texts = [*metadata_texts(about).items()]
    (tmp_path / "in").write_bytes(b"\0".join(text.encode() for _, text in texts))
    done = swift("judge", "-", tmp_path / "in", "-", 0, 0)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(texts)
    for ((kind, name), _), line in zip(texts, lines, strict=True):
        expected = "refused" if name == REFUSED else kind.removesuffix("_texts")
        assert line.startswith(expected), (kind, name, line)
