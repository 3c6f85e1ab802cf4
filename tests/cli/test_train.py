"""`kerasep train`: what it refuses, keeps and resumes."""

import io
import shutil
import signal
import sys
import time

import keras
import numpy as np
import pytest
import soundfile
from rich.console import Console

from kerasep import data, zoo
from kerasep.training.progress import FitProgress


def test_training_says_what_it_recognised(tmp_path, capsys, call, train_command):
    data.write_songs(tmp_path / "songs", 3, seconds=0.5)
    (tmp_path / "songs" / "song_0001" / "bass.flac").write_bytes(b"")
    command = train_command(tmp_path / "songs", tmp_path / "run", "--batch-size", 99)
    assert call(*command) == 2
    said = capsys.readouterr()
    assert "batch_size=99" in said.err
    lines = said.out.splitlines()
    (skipped,) = [line for line in lines if line.startswith("skipped ")]
    assert "track 'song_0001'" in skipped
    assert "bass.flac is empty" in skipped
    assert f"{tmp_path / 'songs'}: stems folders, 2 tracks (1 skipped)" in lines


@pytest.mark.parametrize(
    "option",
    [
        *[("--epochs", 0), ("--seed", -1), ("--channels", 0)],
        *[("--batch-size", 0), ("--batch-size", "some"), ("--devices", 0), ("--devices", "few")],
    ],
)
def test_numbers_out_of_range(folder, tmp_path, option, refused, train_command):
    command = train_command(folder / "songs", tmp_path / "run", *option)
    assert option[0] in refused(*command)
    assert not (tmp_path / "run").exists()


def test_training_that_is_stopped_gives_the_cursor_back(
    folder, tmp_path, monkeypatch, call, train_command
):
    def fit(_model, *_arguments, callbacks, **_options):
        [progress] = [each for each in callbacks if isinstance(each, FitProgress)]
        progress.on_train_begin()
        raise KeyboardInterrupt

    terminal = io.StringIO()
    monkeypatch.setattr(keras.Model, "fit", fit)
    command = sys.modules["kerasep.cli.train"]  # its name in the package is the function's
    monkeypatch.setattr(command, "out", Console(file=terminal, force_terminal=True))
    assert call(*train_command(folder / "songs", tmp_path / "run")) == 130
    text = terminal.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def damage_nothing(folder):
    for path in folder.iterdir():
        for stem in path.iterdir():
            stem.unlink()


def damage_stem(folder):
    (folder / "song_0001" / "bass.flac").unlink()


def damage_truncated(folder):
    stem = folder / "song_0001" / "bass.flac"
    stem.write_bytes(stem.read_bytes()[: stem.stat().st_size // 2])


def damage_empty(folder):
    for song in folder.iterdir():
        (song / "bass.flac").write_bytes(b"")


def damage_text(folder):
    for song in folder.iterdir():
        (song / "bass.flac").write_text("no audio at all, but long enough to look at")


def damage_nan(folder):
    for song in folder.iterdir():
        (song / "bass.flac").unlink()
        soundfile.write(song / "bass.wav", np.full(32000, np.nan, "float32"), 16000, "FLOAT")


def damage_silent(folder):
    for stem in folder.rglob("*.flac"):
        soundfile.write(stem, np.zeros(32000, "float32"), 16000)


def damage_channels(folder):
    stem = folder / "song_0001" / "bass.flac"
    soundfile.write(stem, np.zeros((32000, 3), "float32"), 16000)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (damage_nothing, "has no track or recording in a known layout"),
        (damage_stem, "has no stem 'bass'"),
        (damage_truncated, "bass.flac"),
        (damage_empty, "bass.flac is empty"),
        (damage_text, "bass.flac is not audio"),
        (damage_nan, "NaN"),
        (damage_silent, "silent"),
        (damage_channels, "3 channels"),
    ],
)
def test_bad_training_data(folder, tmp_path, damage, said, refused, train_command):
    for song in ("song_0000", "song_0001"):
        shutil.copytree(folder / "songs" / song, tmp_path / "songs" / song)
    damage(tmp_path / "songs")
    channels = ("--channels", 2) if damage is damage_channels else ()
    error = refused(*train_command(tmp_path / "songs", tmp_path / "run", *channels))
    assert said in error
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_not_trained_over(folder, refused, train_command):
    before = (folder / "run" / "model.keras").read_bytes()
    assert "finished" in refused(*train_command(folder / "songs", folder / "run"))
    assert (folder / "run" / "model.keras").read_bytes() == before


def test_weights_of_another_model(folder, tmp_path, refused, train_command):
    other = tmp_path / "other.weights.h5"
    zoo.load("open_unmix_like/small", hidden=8).save_weights(other)
    command = train_command(folder / "songs", tmp_path / "run", "--weights", other)
    assert "other.weights.h5" in refused(*command)


def test_sources_of_the_same_name(folder, tmp_path, refused, train_command):
    command = train_command(folder / "songs", tmp_path / "run", "--sources", "vocals,vocals")
    assert "different names" in refused(*command)


@pytest.mark.slow
def test_interrupted_training_goes_on(folder, tmp_path, start, train_command):
    command = list(train_command(folder / "songs", tmp_path / "run"))
    command[command.index("--epochs") + 1] = 400
    process = start(*command)
    history = tmp_path / "run" / "history.csv"
    for _ in range(600):
        if history.exists() and len(history.read_text().splitlines()) > 3:
            break
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.startswith("kerasep: stopped")
    assert error.count("\n") == 1
    done = len(history.read_text().splitlines()) - 1
    again = start(*command, "--max-minutes", 0.001)
    again.communicate(timeout=120)
    assert again.returncode == 0
    lines = history.read_text().splitlines()
    assert len(lines) - 1 == done + 1
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, done + 2))
