"""The package kerasep-runtime: kerasep's own samples, from a closed set of its modules."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import kerasep
from kerasep import data
from kerasep.separation import separate_file
from kerasep.tflite import Runtime, StreamRuntime

ROOT = pathlib.Path(kerasep.__file__).parents[1]
HIDE = "import sys; sys.modules.update(dict.fromkeys({}))\n"
HEAVY = ["kerasep", "keras", "tensorflow", "jax", "torch", "scipy", "typer", "rich", "psutil"]
AUDIO = ["soundfile", "soxr", "av"]
SEPARATE = """
import numpy as np, kerasep_runtime
runtime = kerasep_runtime.Runtime("small.tflite", threads=1)
np.savez("stems.npz", **runtime.separate(np.load("mixture.npy")))
stream = kerasep_runtime.StreamRuntime("stream.tflite")
block = np.load("mixture.npy")[:, :1]
np.save("stream.npy", np.concatenate([stream.process(block), stream.flush()]))
assert kerasep_runtime.read_metadata("small.tflite")["sources"] == list(runtime.sources)
"""
FILES = """
import kerasep_runtime
runtime = kerasep_runtime.Runtime("small.tflite", threads=1)
kerasep_runtime.separate_file(runtime, "mixture.wav", "stems")
"""


def run(command, **settings):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **settings
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkout that has only what the package is built from."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / "kerasep").symlink_to(ROOT / "kerasep")
    target = checkout / "tflite" / "python"
    shutil.copytree(ROOT / "tflite/python", target, ignore=shutil.ignore_patterns("src", "build"))
    return target


@pytest.fixture(scope="module")
def modules(folder):
    """The folder that holds `kerasep_runtime/` after a build."""
    done = run([sys.executable, "setup.py", "--version"], cwd=folder)
    assert (done.returncode, done.stdout.strip()) == (0, kerasep.__version__), done.stderr
    return folder / "src"


@pytest.fixture(scope="module")
def work(exported, stream_file, tmp_path_factory):
    """A folder with both kinds of files, and a mixture for them."""
    work = tmp_path_factory.mktemp("work")
    shutil.copy(exported[1], work / "small.tflite")
    shutil.copy(stream_file, work / "stream.tflite")
    mixture = 0.1 * np.random.default_rng(0).standard_normal((20011, 2)).astype("float32")
    np.save(work / "mixture.npy", mixture)
    data.write(work / "mixture.wav", mixture, 11025)
    return work


def check_arrays(work):
    mixture = np.load(work / "mixture.npy")
    expected = Runtime(work / "small.tflite", threads=1).separate(mixture)
    received = np.load(work / "stems.npz")
    assert list(received) == list(expected)
    for name, stem in expected.items():
        np.testing.assert_array_equal(received[name], stem)
    stream = StreamRuntime(work / "stream.tflite")
    expected = np.concatenate([stream.process(mixture[:, :1]), stream.flush()])
    np.testing.assert_array_equal(np.load(work / "stream.npy"), expected)


def check_files(work):
    runtime = Runtime(work / "small.tflite", threads=1)
    for path in separate_file(runtime, work / "mixture.wav", work / "expected").values():
        received, rate = data.read(work / "stems" / path.name)
        assert rate == 11025
        np.testing.assert_array_equal(received, data.read(path)[0])


def check_warned(done):
    """The sources are not the whole mixture, and the mixture has a higher rate."""
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("the stems of vocals, drums end at 4000 Hz")
    assert done.stderr.count("\n") == 1


def run_modules(modules, work, script, hidden):
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    script = HIDE.format(hidden) + script
    return run([sys.executable, "-c", script], cwd=work, env=environment)


def test_the_modules_are_a_closed_set(modules):
    files = {path for path in modules.rglob("*.py") if path.stat().st_size}
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    names = [".".join(p.relative_to(modules).with_suffix("").parts) for p in sorted(files)]
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    done = run(
        [sys.executable, "-c", HIDE.format(HEAVY) + script, *names], env=environment, cwd="/"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(files) < 50


def test_arrays_need_numpy_and_litert_only(modules, work):
    done = run_modules(modules, work, SEPARATE, HEAVY + AUDIO)
    assert (done.returncode, done.stderr) == (0, "")
    check_arrays(work)


def test_files_are_separated_as_by_kerasep(modules, work):
    done = run_modules(modules, work, FILES, HEAVY + ["av"])
    check_warned(done)
    check_files(work)


@pytest.mark.parametrize(
    ("script", "hidden", "line"),
    [
        (FILES.replace("stems", "none"), ["soundfile"], "pip install 'soundfile'"),
        (SEPARATE, ["ai_edge_litert"], "pip install 'kerasep-runtime'"),
        (
            SEPARATE.replace("small.", "stream.", 1),
            [],
            "received a file exported with mode='streaming', expected mode='separate' here: open "
            "it with kerasep_runtime.StreamRuntime",
        ),
        (
            FILES.replace("e(runtime", "e('small.tflite'"),
            [],
            "pass kerasep_runtime.Runtime('small.tflite')",
        ),
        (FILES.replace("e(runtime", "e('unet_like'"), [], "pip install 'kerasep'"),
    ],
)
def test_errors_name_what_a_user_of_the_runtime_has(modules, work, script, hidden, line):
    last = run_modules(modules, work, script, HEAVY + hidden).stderr.splitlines()[-1]
    assert last.startswith("kerasep_runtime.errors.InputError: ")
    assert line in last


def built(folder, target, kind):
    """Build a wheel or an sdist of the package; return its path."""
    build = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(target)!r}))"
    done = run([sys.executable, "-c", build], cwd=folder)
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


@pytest.mark.slow
def test_an_environment_without_tensorflow(folder, work, tmp_path):
    """The folder is installed, then the sdist and the wheel in its place, then what reads files."""
    python = tmp_path / "venv/bin/python"
    assert run([sys.executable, "-m", "venv", tmp_path / "venv"]).returncode == 0
    install = [python, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    wheel = built(folder, tmp_path, "wheel")
    assert wheel.stat().st_size < 100_000
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"kerasep_runtime"}
    replace = ["--force-reinstall", "--no-deps"]
    for source in ([folder], [*replace, built(folder, tmp_path, "sdist")], [*replace, wheel]):
        done = run([*install, *source])
        assert done.returncode == 0, done.stderr
        done = run([python, "-c", SEPARATE], cwd=work)
        assert (done.returncode, done.stderr) == (0, ""), source
        check_arrays(work)
    installed = run([python, "-m", "pip", "list"]).stdout
    assert not {"tensorflow", "keras", "kerasep "} & set(installed.split())
    assert run([*install, f"{folder}[audio]"]).returncode == 0
    shutil.rmtree(work / "stems", ignore_errors=True)
    shutil.rmtree(work / "expected", ignore_errors=True)
    check_warned(run([python, "-c", FILES], cwd=work))
    check_files(work)
