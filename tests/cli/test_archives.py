"""`kerasep separate` and `kerasep prepare` on Beam's local runner, as their user meets them."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from kerasep import data, zoo

SCRIPT = pathlib.Path(sys.executable).with_name("kerasep")
COMMANDS = {"module": [sys.executable, "-m", "kerasep"], "script": [str(SCRIPT)]}


def run(command, *arguments, **options):
    return subprocess.run(
        [*COMMANDS[command], *map(str, arguments)], capture_output=True, text=True, **options
    )


@pytest.fixture
def manifest(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        data.write(tmp_path / f"{name}.wav", rng.normal(0, 0.1, (9000, 1)), 16000)
    path = tmp_path / "files.txt"
    path.write_text("one.wav\ntwo.wav\nlost.wav\n")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_separate(manifest, tmp_path, command):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    if command == "script" and not SCRIPT.exists():
        pytest.skip("kerasep is not installed here as a command")
    zoo.load("open_unmix_like/small", sources=["vocals"], hidden=8).save(tmp_path / "m.keras")
    arguments = ("separate", "--manifest", manifest, "--model", tmp_path / "m.keras")
    arguments += ("--out", tmp_path / "out", "--runner-option", "direct_num_workers=2")
    ended = run(command, *arguments)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "2 of 3 files are separated" in ended.stdout
    assert sorted(os.listdir(tmp_path / "out")) == ["failures.csv", "one", "two"]
    assert data.info(tmp_path / "out/one/vocals.wav").samples == 9000
    assert "lost.wav is missing" in (tmp_path / "out/failures.csv").read_text()
    data.write(tmp_path / "lost.wav", np.ones((900, 1), "float32") / 2, 16000)
    before = (tmp_path / "out/one/vocals.wav").stat().st_mtime_ns
    assert run(command, *arguments).returncode == 0
    assert (tmp_path / "out/lost/vocals.wav").is_file()
    assert (tmp_path / "out/one/vocals.wav").stat().st_mtime_ns == before


@pytest.mark.slow
def test_prepare(songs, tmp_path):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    arguments = ("prepare", songs, "--out", tmp_path / "shards", "--sources", "vocals")
    arguments += ("--sample-rate", 8000, "--channels", 1, "--runner", "direct")
    ended = run("module", *arguments, "--runner-option", "direct_num_workers=2")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "shards" / "index.json").is_file()
    assert "index.json: int16" in ended.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--runner", "direct", "--overwrite"], "received --overwrite for an archive"),
        ([], "received no file: name audio files or folders, or give --manifest"),
    ],
)
def test_refused(tmp_path, options, words):
    arguments = ("--model", "m.tflite", "--out", tmp_path / "out", *options)
    ended = run("module", "separate", *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
