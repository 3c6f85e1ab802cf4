"""The Kotlin library on the JVM, with LiteRT's C library in place of LiteRT for Android."""

import importlib.util
import json
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import soxr

from kerasep.tflite import Runtime
from tests.tflite.native.metadata_texts import metadata_texts

SOURCES = pathlib.Path(__file__).parents[3] / "tflite" / "android" / "kerasep" / "src"
HARNESS = pathlib.Path(__file__).parent / "android"
JNA = pathlib.Path("/usr/share/java/jna.jar")
ANDROID = pathlib.Path(__file__).parent / "app" / "android.java.txt"
APP = SOURCES.parents[1] / "app" / "src" / "main"
FRAMEWORK = pathlib.Path("/usr/share/android-framework-res/framework-res.apk")
LITERT = pathlib.Path(importlib.util.find_spec("ai_edge_litert").origin).parent / "libLiteRt.so"
TIMING = {"hop": 8, "frame": 24, "lag": 16, "silence": 0, "ends": "mirror"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kotlin(tmp_path_factory):
    """Function of arguments that runs the compiled sources."""
    if shutil.which("kotlinc") is None or shutil.which("java") is None or not JNA.exists():
        pytest.skip("there is no Kotlin: apt-get install kotlin libjna-java")
    jar = tmp_path_factory.mktemp("kotlin") / "kerasep.jar"
    sources = sorted([*SOURCES.rglob("*.kt"), *HARNESS.glob("*.kt")])
    command = ["kotlinc", "-Werror", "-include-runtime", "-classpath", JNA, "-d", jar, *sources]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def run(*arguments):
        library = f"-Dkerasep.litert={LITERT}"
        command = ["java", library, "-cp", f"{jar}:{JNA}", "kerasep.MainKt", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True)

    run.jar = jar
    return run


@pytest.mark.parametrize(
    ("samples", "channels"), [(2, 1), (399, 1), (400, 2), (401, 1), (3001, 3), (4000, 2)]
)
def test_recordings_equal_the_runtime(
    kotlin, tiny, noise, assert_agrees, tmp_path, samples, channels
):
    audio = noise(samples, channels)
    audio.tofile(tmp_path / "in")
    done = kotlin("separate", tiny, tmp_path / "in", tmp_path / "out", channels, 8000)
    assert done.returncode == 0, done.stderr
    stems = np.fromfile(tmp_path / "out", "float32").reshape(2, samples, channels)
    expected = Runtime(tiny, threads=1).separate(audio)
    assert_agrees(dict(zip(expected, stems, strict=True)), expected)


def test_chunks_of_music_fade_as_short_ones_do(kotlin, noise, tmp_path):
    noise(150_000, 2).tofile(tmp_path / "in")
    done = kotlin("fade", "-", tmp_path / "in", tmp_path / "out", 2, 8000, 100_000, 50_000)
    assert done.returncode == 0, done.stderr
    given = np.fromfile(tmp_path / "out", "float32").reshape(150_000, 4)
    expected = np.clip((np.arange(150_000) - 62_500 + 0.5) / 25_000, 0, 1)
    np.testing.assert_allclose(given, np.tile(expected[:, None], 4), atol=1e-5)


@pytest.fixture
def separated(kotlin, tmp_path):
    """Function of (model, audio, rate, *options) that returns the stems."""

    def separated(model, audio, rate, *options):
        audio.tofile(tmp_path / "in")
        arguments = (tmp_path / "in", tmp_path / "out", audio.shape[1], rate, *options)
        done = kotlin("separate", model, *arguments)
        assert done.returncode == 0, done.stderr
        stems = np.fromfile(tmp_path / "out", "float32").reshape(-1, *audio.shape)
        return dict(zip(Runtime(model, threads=1).sources, stems, strict=True))

    return separated


def test_a_real_model_equals_the_runtime(separated, exported, noise, assert_agrees):
    audio = noise(20011, 3)
    expected = Runtime(exported[1], threads=1).separate(audio)
    assert_agrees(separated(exported[1], audio, 8000), expected)


@pytest.mark.parametrize(("rate", "channels"), [(24000, 1), (22050, 3)])
def test_other_rates_equal_the_runtime(
    separated, at_its_own_rate, karaoke, noise, assert_agrees, rate, channels
):
    audio = noise(30001, channels)
    expected = at_its_own_rate(karaoke, audio, rate, "accompaniment")
    assert_agrees(separated(karaoke, audio, rate), expected, 100)
    expected = at_its_own_rate(karaoke, audio, rate)
    assert_agrees(separated(karaoke, audio, rate, "model"), expected, 100)


# soxr goes from 44100 to 8000 Hz in steps, each of which begins with silence of its own.
@pytest.mark.parametrize(
    ("rate", "new_rate", "channels", "begin", "least_db"),
    [
        (48000, 16000, 1, 0, 125),
        (16000, 48000, 2, 0, 125),
        (32000, 24000, 1, 0, 125),
        (11025, 44100, 1, 0, 125),
        (44100, 16000, 3, 0, 110),
        (16000, 44100, 2, 0, 105),
        (48000, 44100, 2, 0, 110),
        (44100, 48000, 1, 0, 105),
        (96000, 44100, 1, 0, 110),
        (44100, 8000, 1, 300, 110),
        (8000, 44100, 1, 300, 110),
        (44100, 24000, 1, 300, 110),
    ],
)
def test_resampling_is_that_of_soxr(
    kotlin, noise, tmp_path, assert_agrees, rate, new_rate, channels, begin, least_db
):
    audio = noise(20000, channels)
    audio.tofile(tmp_path / "in")
    done = kotlin("resample", "-", tmp_path / "in", tmp_path / "out", channels, rate, new_rate, 997)
    assert done.returncode == 0, done.stderr
    received = np.fromfile(tmp_path / "out", "float32").reshape(-1, channels)
    expected = soxr.resample(audio, rate, new_rate)
    assert received.shape == expected.shape
    assert_agrees({"noise": received[begin:]}, {"noise": expected[begin:]}, least_db)


@pytest.mark.parametrize("samples", [1, 2])
def test_one_sample_is_a_recording(separated, karaoke, samples):
    audio = np.full((samples, 1), 0.25, "float32")
    stems = separated(karaoke, audio, 44100)
    np.testing.assert_allclose(sum(stems.values()), audio, atol=0.1)


def test_stems_in_files_are_mixed(kotlin, karaoke, noise, tmp_path, at_its_own_rate, assert_agrees):
    audio = noise(30001, 2)
    audio.tofile(tmp_path / "in")
    done = kotlin("files", karaoke, tmp_path / "in", tmp_path / "stems", 2, 24000)
    assert done.returncode == 0, done.stderr
    expected = at_its_own_rate(karaoke, audio, 24000, "accompaniment")
    stems = {
        path.stem: soundfile.read(path, dtype="float32", always_2d=True)
        for path in (tmp_path / "stems").iterdir()
    }
    assert {rate for _, rate in stems.values()} == {24000}
    stems = {name: stem for name, (stem, _) in stems.items()}
    assert_agrees(stems, expected, 100)
    done = kotlin(
        "mix", "-", tmp_path / "stems", tmp_path / "out", 0, 0, "vocals=0.5", "accompaniment=0"
    )
    assert done.returncode == 0, done.stderr
    mix = np.fromfile(tmp_path / "out", "float32").reshape(-1, 2)
    np.testing.assert_array_equal(mix, 0.5 * stems["vocals"][7:])


@pytest.mark.parametrize(("rate", "channels"), [(8000, 2), (8000, 1), (24000, 2)])
def test_live(kotlin, toy, noise, tmp_path, rate, channels):
    audio = noise(5003, channels)
    audio.tofile(tmp_path / "in")
    model = toy(tmp_path / "model", TIMING)
    done = kotlin("live", model, tmp_path / "in", tmp_path / "out", channels, rate)
    assert done.returncode == 0, done.stderr
    heard = np.fromfile(tmp_path / "out", "float32").reshape(-1, 2)
    expected = np.broadcast_to(audio, (5003, 2))
    if rate != 8000:
        expected = soxr.resample(soxr.resample(expected, rate, 8000), 8000, rate)
    np.testing.assert_allclose(heard[:5000], expected[:5000], atol=2e-6)


@pytest.mark.parametrize("blocks", [[1] * 77, [77], [3, 200, 0, 4]])
def test_blocks_of_any_size_come_out_as_they_went_in(kotlin, toy, noise, tmp_path, blocks):
    audio = noise(sum(blocks), 2)
    audio.tofile(tmp_path / "in")
    model = toy(tmp_path / "model", TIMING)
    done = kotlin("stream", model, tmp_path / "in", tmp_path / "out", 2, 8000, *blocks)
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
        done = kotlin("separate", tmp_path / "a.tflite", tmp_path / "in", tmp_path / "out", 2, 8000)
        assert done.returncode == 1, kind
        assert message in done.stdout, kind
    done = kotlin("separate", tmp_path / "none.tflite", tmp_path / "in", tmp_path / "out", 2, 8000)
    assert "there is no such file" in done.stdout
    done = kotlin("stream", tiny, tmp_path / "in", tmp_path / "out", 2, 8000)
    assert "cannot stream" in done.stdout


def test_it_refuses_and_accepts_what_python_does(kotlin, tiny_parts, tmp_path):
    about = tiny_parts[1]
    whole = json.dumps(about)
    texts = [*metadata_texts(about).items()]
    odd = [whole[:-1].encode() + b', "a": "' + odd + b'"}' for odd in (b"\xff", b"\xed\xa0\x80")]
    (tmp_path / "in").write_bytes(b"\0".join([*(text.encode() for _, text in texts), *odd]))
    done = kotlin("judge", "-", tmp_path / "in", "-", 0, 0)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(texts) + len(odd)
    for ((kind, name), _), line in zip(texts, lines, strict=False):
        assert line.startswith(kind.removesuffix("_texts")), (kind, name, line)
    assert all(line.startswith("refused") for line in lines[-2:])


@pytest.fixture
def resources(tmp_path):
    """R.java of the app's manifest and resources."""
    if shutil.which("aapt") is None or not FRAMEWORK.exists():
        pytest.skip("there is no aapt: apt-get install aapt android-framework-res")
    manifest = (APP / "AndroidManifest.xml").read_text()
    # Gradle takes the package from the namespace in build.gradle.kts.
    named = manifest.replace("<manifest ", '<manifest package="kerasep.app" ')
    (tmp_path / "AndroidManifest.xml").write_text(named)
    command = ["aapt", "package", "-f", "-M", tmp_path / "AndroidManifest.xml", "-S", APP / "res"]
    command += ["-I", FRAMEWORK, "-F", tmp_path / "app.apk", "-J", tmp_path]
    command += ["--min-sdk-version", "29", "--target-sdk-version", "29"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tmp_path / "R.java"


def test_the_app_compiles(kotlin, resources, tmp_path):
    """Against declarations of the classes of Android that it uses."""
    if shutil.which("javac") is None:
        pytest.skip("there is no javac: apt-get install default-jdk-headless")
    declared = [resources]
    for text in ANDROID.read_text().split("\npackage ")[1:]:
        package = text[: text.index(";")]
        name = re.search(r"(?:class|interface|@interface) (\w+)", text)[1]
        path = tmp_path / "declared" / package / f"{name}.java"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"package {text}")
        declared.append(path)
    classes = tmp_path / "classes"
    done = subprocess.run(
        ["javac", "-nowarn", "-d", classes, *declared], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    sources = sorted((APP / "kotlin").rglob("*.kt"))
    command = ["kotlinc", "-classpath", f"{classes}:{kotlin.jar}", "-d", tmp_path / "app", *sources]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
