"""The Kotlin sources without LiteRT: chunks, streams and metadata, on toys in LiteRT's place."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from kerasep.tflite import Runtime

SOURCES = pathlib.Path(__file__).parents[3] / "tflite" / "android" / "src" / "main" / "kotlin"
HARNESS = pathlib.Path(__file__).parent / "android"
JSON = pathlib.Path("/usr/share/java/com.android.json.jar")
CASES = json.loads((pathlib.Path(__file__).parents[1] / "metadata_cases.json").read_text())
TIMING = {"hop": 8, "frame": 24, "lag": 16, "silence": 0, "ends": "mirror"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kotlin(tmp_path_factory):
    """Function of arguments that runs the compiled sources."""
    if shutil.which("kotlinc") is None or shutil.which("java") is None or not JSON.exists():
        pytest.skip("there is no Kotlin: apt-get install kotlin libandroid-json-java")
    jar = tmp_path_factory.mktemp("kotlin") / "kerasep.jar"
    sources = sorted([*SOURCES.rglob("*.kt"), *HARNESS.glob("*.kt")])
    command = ["kotlinc", "-Werror", "-include-runtime", "-classpath", JSON, "-d", jar, *sources]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def run(*arguments):
        command = ["java", "-cp", f"{jar}:{JSON}", "kerasep.MainKt", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    ("samples", "channels"), [(2, 1), (399, 1), (400, 2), (401, 1), (3001, 3), (4000, 2)]
)
def test_recordings_equal_the_runtime(
    kotlin, tiny, noise, assert_agrees, tmp_path, samples, channels
):
    audio = noise(samples, channels)
    audio.tofile(tmp_path / "in")
    done = kotlin("separate", tiny, tmp_path / "in", tmp_path / "out", channels)
    assert done.returncode == 0, done.stderr
    stems = np.fromfile(tmp_path / "out", "float32").reshape(2, samples, channels)
    expected = Runtime(tiny, threads=1).separate(audio)
    assert_agrees(dict(zip(expected, stems, strict=True)), expected)


def test_chunks_of_music_fade_as_short_ones_do(kotlin, noise, tmp_path):
    noise(150_000, 2).tofile(tmp_path / "in")
    done = kotlin("fade", "-", tmp_path / "in", tmp_path / "out", 2, 100_000, 50_000)
    assert done.returncode == 0, done.stderr
    given = np.fromfile(tmp_path / "out", "float32").reshape(150_000, 4)
    expected = np.clip((np.arange(150_000) - 62_500 + 0.5) / 25_000, 0, 1)
    np.testing.assert_allclose(given, np.tile(expected[:, None], 4), atol=1e-5)


@pytest.mark.parametrize("blocks", [[1] * 77, [77], [3, 200, 0, 4]])
def test_blocks_of_any_size_come_out_as_they_went_in(kotlin, toy, noise, tmp_path, blocks):
    audio = noise(sum(blocks), 2)
    audio.tofile(tmp_path / "in")
    model = toy(tmp_path / "model", TIMING)
    done = kotlin("stream", model, tmp_path / "in", tmp_path / "out", 2, *blocks)
    assert done.returncode == 0, done.stderr
    given = np.fromfile(tmp_path / "out", "float32").reshape(-1, 2, 2)
    np.testing.assert_array_equal(given[..., 0], audio)


def test_other_files_are_refused(kotlin, tiny, tiny_parts, toy, noise, tmp_path):
    noise(50, 2).tofile(tmp_path / "in")
    toy(tmp_path / "model", TIMING).rename(tmp_path / "stream.tflite")
    content = tiny.read_bytes()
    kinds = {
        "bare": (tiny_parts[0], "without kerasep's metadata"),
        "text": (b"some text that is long enough", "without kerasep's metadata"),
        "empty": (b"", "damaged"),
        "cut": (content[:100], "damaged"),
        "stream": ((tmp_path / "stream.tflite").read_bytes(), "is for streams"),
    }
    for kind, (damaged, message) in kinds.items():
        (tmp_path / "a.tflite").write_bytes(damaged)
        done = kotlin("separate", tmp_path / "a.tflite", tmp_path / "in", tmp_path / "out", 2)
        assert done.returncode == 1, kind
        assert message in done.stdout, kind
    done = kotlin("separate", tmp_path / "none.tflite", tmp_path / "in", tmp_path / "out", 2)
    assert "there is no such file" in done.stdout
    done = kotlin("stream", tiny, tmp_path / "in", tmp_path / "out", 2)
    assert "cannot stream" in done.stdout


def test_it_refuses_and_accepts_what_python_does(kotlin, tiny_parts, tmp_path):
    about = tiny_parts[1]
    whole = json.dumps(about)
    texts = [
        ((kind, name), json.dumps(about | changes))
        for kind in ("accepted", "refused")
        for name, changes in CASES[kind].items()
    ] + [
        ((kind, name), text.replace("@", whole[1:-1]))
        for kind in ("accepted_texts", "refused_texts")
        for name, text in CASES[kind].items()
    ]
    odd = [whole[:-1].encode() + b', "a": "' + odd + b'"}' for odd in (b"\xff", b"\xed\xa0\x80")]
    (tmp_path / "in").write_bytes(b"\0".join([*(text.encode() for _, text in texts), *odd]))
    done = kotlin("judge", "-", tmp_path / "in", "-", 0)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(texts) + len(odd)
    for ((kind, name), _), line in zip(texts, lines, strict=False):
        assert line.startswith(kind.removesuffix("_texts")), (kind, name, line)
    assert all(line.startswith("refused") for line in lines[-2:])
