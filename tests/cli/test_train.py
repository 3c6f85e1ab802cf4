"""`kerasep train`: what it refuses, keeps and resumes."""

import csv
import functools
import io
import json
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
    command = train_command(tmp_path / "songs", tmp_path / "run", "--crop-seconds", 0)
    assert call(*command) == 2
    said = capsys.readouterr()
    assert "crop_seconds=0.0" in said.err
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


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--metrics", "si_sdr,sisnr", "received metric 'sisnr', expected one of si_sdr, "),
        ("--monitor", "val_los", "did you mean val_loss?"),
        ("--dtype", "bfloat61", "did you mean bfloat16?"),
        ("--steps-per-execution", 0, "--steps-per-execution"),
    ],
)
def test_names_of_settings(folder, tmp_path, option, value, message, refused, train_command):
    command = train_command(folder / "songs", tmp_path / "run", option, value)
    assert message in refused(*command)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ('{"data": {"snr": [3]}}', [], "received snr=[3]"),
        ('{"data": {"crop_seconds": -1}}', ["--crop-seconds", -2], "crop_seconds=-2.0,"),
        ('{"recipe": {"data": {"snr": [4]}}, "seed": 0}', [], "received snr=[4]"),
        ('{"epoch": 3}', [], "did you mean epochs?"),
        ("epochs: 3", [], "expected a recipe in JSON"),
        (None, [], "mine.json, which cannot be read: No such file or directory"),
    ],
)
def test_a_recipe_file(folder, tmp_path, recipe, options, message, refused, train_command):
    if recipe is not None:
        (tmp_path / "mine.json").write_text(recipe)
    options = ["--recipe", tmp_path / "mine.json", *options]
    command = train_command(folder / "songs", tmp_path / "run", *options)
    assert message in refused(*command)
    assert not (tmp_path / "run").exists()


def test_options_go_before_the_recipe_s_file(folder, tmp_path, call, train_command):
    file = tmp_path / "recipe.json"
    data_settings = {"batch_size": 1, "remix": 1.0}
    file.write_text(json.dumps({"epochs": 3, "loss": "PhaseSensitive", "data": data_settings}))
    assert call(*train_command(folder / "songs", tmp_path / "run", "--recipe", file)) == 0
    used = json.loads((tmp_path / "run" / "recipe.json").read_text())["recipe"]
    assert (used["epochs"], used["loss"]) == (1, "PhaseSensitive")
    assert (used["data"]["batch_size"], used["data"]["remix"]) == (2, 1.0)


@pytest.mark.slow
def test_a_run_selects_on_a_metric_and_is_extended(folder, tmp_path, capsys, call, train_command):
    settings = ["--metrics", "si_sdr", "--monitor", "val_si_sdr", "--no-jit-compile"]
    command = train_command(folder / "songs", tmp_path / "run", *settings)
    assert call(*command, "--epochs", 1) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "epoch    1/1" in line)
    assert call(*command, "--epochs", 2) == 0
    with (tmp_path / "run/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(np.isfinite(float(row["val_si_sdr"])) for row in rows)
    assert f"val_si_sdr {float(rows[0]['val_si_sdr']):.4f} *" in line
    recipe = json.loads((tmp_path / "run/recipe.json").read_text())["recipe"]
    expected = {"metrics": ["si_sdr"], "monitor": "val_si_sdr", "jit_compile": False, "epochs": 2}
    assert recipe | expected == recipe


@pytest.mark.parametrize(
    ("monitor", "stars"), [("val_loss", [True, False, True]), ("val_si_sdr", [True, True, False])]
)
def test_the_best_epochs_are_marked(monitor, stars):
    shown = io.StringIO()
    progress = FitProgress(Console(file=shown), monitor)
    progress.set_params({"epochs": 3, "steps": 1})
    for epoch, value in enumerate((2.0, 3.0, 1.0)):
        progress.on_epoch_begin(epoch)
        progress.on_epoch_end(epoch, {"loss": 0.5, monitor: value})
    assert ["*" in line for line in shown.getvalue().splitlines()] == stars


def test_a_run_is_no_preset(folder, tmp_path, refused):
    command = ("train", folder / "run", "--data", folder / "songs", "--out", tmp_path / "new")
    assert "expected a preset: name the preset, and this by --weights" in refused(*command)
    assert not (tmp_path / "new").exists()


def test_training_that_is_stopped_gives_the_cursor_back(
    folder, tmp_path, monkeypatch, call, train_command
):
    def fit(_model, *_arguments, callbacks, **_options):
        [progress] = [each for each in callbacks.callbacks if isinstance(each, FitProgress)]
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


def test_a_layer_to_freeze_that_is_not_there(folder, tmp_path, refused, train_command):
    command = train_command(folder / "songs", tmp_path / "run", "--freeze", "vocals_*, nothing")
    assert "freeze='nothing', expected names of layers: vocals_input" in refused(*command)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_weights_for_other_sources(folder, tmp_path, capsys, call):
    """The network of a source that the run knows is kept, and frozen here."""
    run, out = folder / "run", tmp_path / "tuned"
    arguments = zoo.load(run).get_config()
    songs, stems = tmp_path / "songs", ["vocals", "accompaniment"]
    data.write_songs(songs, 3, seconds=2.0, sources=stems)
    options = ("--data", songs, "--epochs", 1, "--batch-size", 2, "--crop-seconds", 1)
    sources = ("--sources", ",".join(stems), "--freeze", "vocals_*", "--crops-per-track", 1)
    with pytest.MonkeyPatch.context() as patch:
        names = ("hidden", "n_fft", "hop", "lstm_layers")
        sizes = {name: arguments[name] for name in names}
        patch.setattr(zoo, "load", functools.partial(zoo.load, **sizes))
        command = ("train", "open_unmix_like/small", *options, "--weights", run, "--out", out)
        assert call(*command, *sources) == 0
    said = capsys.readouterr().out
    assert "9 of 18 layers of open_unmix_like are kept; initialised: accompaniment_input" in said
    assert f"training starts from {run}" in said
    for part in ("input", "fc1", "bn1", "lstm", "fc2", "bn2", "fc3", "bn3", "output"):
        weights = zoo.load(out).get_layer(f"vocals_{part}").get_weights()
        np.testing.assert_equal(weights, zoo.load(run).get_layer(f"vocals_{part}").get_weights())


def test_sources_of_the_same_name(folder, tmp_path, refused, train_command):
    command = train_command(folder / "songs", tmp_path / "run", "--sources", "vocals,vocals")
    assert "different names" in refused(*command)


@pytest.mark.slow
def test_interrupted_training_goes_on(folder, tmp_path, start, train_command):
    command = list(train_command(folder / "songs", tmp_path / "run"))
    command[command.index("--epochs") + 1] = 400
    process = start(*command)
    history = tmp_path / "run" / "history.csv"
    while process.poll() is None and not (
        history.exists() and len(history.read_text().splitlines()) > 3
    ):
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 130
    assert error.startswith("kerasep: stopped")
    assert error.count("\n") == 1
    done = len(history.read_text().splitlines()) - 1
    again = start(*command, "--max-minutes", 0.001)
    again.communicate(timeout=300)
    assert again.returncode == 0
    lines = history.read_text().splitlines()
    assert len(lines) - 1 == done + 1
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, done + 2))
