"""Training runs: what they write, how they go on after a kill, and what they refuse."""

import csv
import functools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import soundfile

from kerasep import data, training, zoo
from kerasep.errors import InputError
from kerasep.training import recipes, run_state

SMALL = {
    "sources": ["vocals"],
    "sample_rate": 8000,
    "n_fft": 256,
    "hop": 64,
    "hidden": 8,
    "max_hz": 3000,
}
# Nothing counts as an improvement: the rate falls and patience wears off as the epochs are counted.
RECIPE = {
    "epochs": 9,
    "plateau": {"factor": 0.5, "patience": 2, "min_delta": 10.0},
    "early_stopping": {"patience": 4, "min_delta": 10.0},
    "data": {"batch_size": 4, "crop_seconds": 0.5, "crops_per_track": 3},
}


def build(seed=0):
    keras.utils.set_random_seed(seed)
    return zoo.load("open_unmix_like/small", **SMALL)


def one_epoch(**changes):
    return {**RECIPE, "epochs": 1, **changes}


class At(keras.callbacks.Callback):
    """Does something after the first batch of an epoch."""

    def __init__(self, epoch, action):
        super().__init__()
        self.epoch, self.action = epoch, action

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch:
            self.action(self.model)


def interrupt(_model):
    raise KeyboardInterrupt


def break_weights(model):
    weight = model.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(message, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        training.train(*arguments, **options)
    assert "\n" not in str(caught.value)


def compare(history, expected):
    assert [row.keys() for row in history] == [row.keys() for row in expected]
    for row, other in zip(history, expected, strict=True):
        for key in row.keys() - {"seconds"}:
            assert row[key] == pytest.approx(other[key], rel=1e-4), (row["epoch"], key)


@pytest.fixture(scope="module")
def unbroken(songs, tmp_path_factory):
    """A finished run: folder and history."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    return folder, training.train(build(), songs, folder, valid=songs, recipe=RECIPE)


def test_a_run_writes_its_folder(unbroken, songs):
    folder, history = unbroken
    assert files(folder) == ["history.csv", "model.keras", "recipe.json", "tensorboard"]
    assert list(folder.glob("tensorboard/*/events*"))
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(
        [row["learning_rate"] for row in history], [1e-3, 1e-3, 1e-3, 5e-4, 5e-4], rtol=1e-6
    )
    with open(folder / "history.csv", newline="") as file:
        written = [
            {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
        ]
    assert written == history
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["recipe"]["epochs"] == 9
    assert recipe["arguments"]["hidden"] == 8


def test_a_folder_whose_name_is_not_utf_8(songs, tmp_path):
    folder = tmp_path / "caf\udce9$\x1b[31m"
    training.train(build(), songs, folder, recipe={**RECIPE, "epochs": 1})
    assert files(folder) == ["history.csv", "model.keras", "recipe.json", "tensorboard"]
    events = sorted(path.parent.name for path in folder.glob("tensorboard/*/events*"))
    assert events == ["train", "validation"]


def test_the_saved_model_is_the_best(unbroken, songs):
    folder, history = unbroken
    model = zoo.load(folder)
    assert model.recipe["epochs"] == 9
    recipes.compile_model(model, model.recipe)
    validation = data.spectrograms(songs, model, training=False, batch_size=4, crop_seconds=0.5)
    best = min(row["val_loss"] for row in history)
    assert model.evaluate(validation, verbose=0) == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("epoch", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_a_broken_run_goes_on_as_if_it_had_not(unbroken, songs, tmp_path, epoch):
    """With the crops, the learning rate and the patience of the unbroken run."""
    with pytest.raises(KeyboardInterrupt):
        training.train(
            build(), songs, tmp_path / "run", valid=songs, recipe=RECIPE,
            callbacks=[At(epoch, interrupt)],
        )  # fmt: skip
    # The weights come from the folder, where there are any.
    model = build(seed=1 if epoch else 0)
    history = training.train(model, songs, tmp_path / "run", valid=songs, recipe=RECIPE)
    compare(history, unbroken[1])
    assert files(tmp_path / "run") == files(unbroken[0])


def averaging(**changes):
    config = {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9}
    return {**RECIPE, "optimizer": {"class_name": "adam", "config": config}, "epochs": 3, **changes}


def test_averages_of_the_weights_are_validated_and_kept(songs, tmp_path):
    trained = build()
    history = training.train(trained, songs, tmp_path / "run", valid=songs, recipe=averaging())
    kept = zoo.load(tmp_path / "run")
    recipes.compile_model(kept, kept.recipe)
    validation = data.spectrograms(songs, kept, training=False, batch_size=4, crop_seconds=0.5)
    losses = [row["val_loss"] for row in history]
    assert kept.evaluate(validation, verbose=0) == pytest.approx(min(losses), rel=1e-4)
    # The run itself is that of the weights: the same crops and steps as without averages.
    config = {"learning_rate": 0.01}
    plain = averaging(optimizer={"class_name": "adam", "config": config})
    others = training.train(build(), songs, tmp_path / "plain", valid=songs, recipe=plain)
    for row, other in zip(history, others, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-4)
        assert row["val_loss"] != pytest.approx(other["val_loss"], rel=1e-3)
    # Where training ends the averages are in the model.
    recipes.compile_model(trained, kept.recipe)
    assert trained.evaluate(validation, verbose=0) == pytest.approx(losses[-1], rel=1e-4)


@pytest.mark.slow
def test_a_broken_run_goes_on_with_its_averages(songs, tmp_path):
    """Within an epoch: its rest is a fit of its own, after which Keras would keep the averages."""
    whole = training.train(build(), songs, tmp_path / "whole", valid=songs, recipe=averaging())
    options = {"valid": songs, "recipe": averaging(), "save_minutes": 0.0}
    with pytest.raises(KeyboardInterrupt):
        training.train(build(), songs, tmp_path / "run", callbacks=[At(1, interrupt)], **options)
    compare(training.train(build(1), songs, tmp_path / "run", **options), whole)


@pytest.mark.slow
def test_a_killed_run_goes_on(unbroken, songs, tmp_path):
    script = (
        "import sys; from test_fit import RECIPE, build; from kerasep import training; "
        "training.train(build(), sys.argv[1], sys.argv[2], valid=sys.argv[1], recipe=RECIPE)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, songs, tmp_path / "run"],
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parent)},
    )
    history = tmp_path / "run" / "history.csv"
    while process.poll() is None and not (history.is_file() and history.stat().st_size):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    history = training.train(build(1), songs, tmp_path / "run", valid=songs, recipe=RECIPE)
    compare(history, unbroken[1])


def test_a_finished_run_is_left_alone(unbroken, songs):
    folder, _ = unbroken
    before = (folder / "history.csv").read_bytes()
    refused("holds a finished run", build(), songs, folder, valid=songs, recipe=RECIPE)
    assert (folder / "history.csv").read_bytes() == before


def test_a_run_goes_on_with_its_own_settings_alone(songs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        training.train(
            build(), songs, tmp_path, valid=songs, recipe=RECIPE, callbacks=[At(1, interrupt)]
        )
    refused("another recipe:", build(), songs, tmp_path, valid=songs, recipe=one_epoch())
    refused("another seed:", build(), songs, tmp_path, valid=songs, recipe=RECIPE, seed=1)
    other = zoo.load("open_unmix_like/small", **{**SMALL, "hidden": 10})
    refused("another arguments:", other, songs, tmp_path, valid=songs, recipe=RECIPE)
    alone = data.find_tracks(songs)[:1]
    refused("another monitor:", build(), alone, tmp_path, recipe=RECIPE)


def test_a_folder_of_other_files_is_left_alone(songs, tmp_path):
    (tmp_path / "recipe.json").write_text('{"flour": "500 g"}')
    refused("holds other files", build(), songs, tmp_path, recipe=one_epoch())
    assert files(tmp_path) == ["recipe.json"]


def test_a_start_that_failed_can_be_put_right(songs, tmp_path):
    """Before its first whole epoch a run has nothing to lose."""
    recipe = one_epoch(data={**RECIPE["data"], "batch_size": 99})
    refused("batch_size=99", build(), songs, tmp_path, recipe=recipe)
    history = training.train(build(), songs, tmp_path, recipe=one_epoch())
    assert len(history) == 1


@pytest.mark.slow
def test_a_loss_that_is_not_finite(songs, tmp_path):
    refused(
        "received loss nan in epoch 1, also with the learning rate halved 5 times: lower the",
        build(), songs, tmp_path, valid=songs, recipe=RECIPE, callbacks=[At(0, break_weights)],
    )  # fmt: skip
    assert "model.keras" not in files(tmp_path)


def test_a_full_disk_is_told_with_the_file(songs, tmp_path, monkeypatch):
    def full(state, path):
        path.write_text("the beginning")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_state.RunState, "write", full)
    refused(r"state.npz.*No space left", build(), songs, tmp_path, recipe=one_epoch())
    assert files(tmp_path) == ["recipe.json"]


def test_bad_files_are_named_when_no_other_is_left(songs, tmp_path):
    shutil.copytree(songs, tmp_path / "songs")
    for song in sorted((tmp_path / "songs").iterdir()):
        for stem in song.glob("vocals.*"):
            stem.unlink()
        path = song / "vocals.wav"
        soundfile.write(path, np.full(16000, np.nan), 8000, subtype="FLOAT")
    path = tmp_path / "songs" / ".*" / "vocals.wav"
    refused(
        rf"{path} has NaN or infinite samples",
        build(), tmp_path / "songs", tmp_path / "run", valid=songs, recipe=one_epoch(),
    )  # fmt: skip


def test_max_minutes(songs, tmp_path):
    history = training.train(build(), songs, tmp_path, recipe=RECIPE, max_minutes=0)
    assert len(history) == 1
    assert files(tmp_path) == ["history.csv", "model.keras", "recipe.json", "tensorboard"]


def test_a_single_track_has_no_validation(songs, tmp_path):
    tracks = data.find_tracks(songs)[:1]
    recipe = one_epoch(data={**RECIPE["data"], "crops_per_track": 4})
    (row,) = training.train(build(), tracks, tmp_path, recipe=recipe)
    assert "val_loss" not in row
    assert np.isfinite(row["loss"])


def test_the_model_starts_from_the_statistics_of_the_data(songs, tmp_path):
    model = build()
    seen = []

    class First(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(keras.ops.convert_to_numpy(model.get_layer("vocals_input").shift))

    training.train(model, songs, tmp_path, recipe=one_epoch(), callbacks=[First()])
    assert (seen[0] < 0).all()


@pytest.mark.slow
def test_a_model_of_two_heads(songs, tmp_path):
    """A reference, a loss and a column of the history for each."""
    model = zoo.load(
        "chimera_like", sources=["vocals", "bass"], **zoo.describe("chimera_like")["tiny"]
    )
    settings = {"batch_size": 4, "crop_seconds": 0.5, "crops_per_track": 3, "gain": None}
    recipe = {"epochs": 2, "data": settings}
    with pytest.raises(KeyboardInterrupt):
        training.train(
            model, songs, tmp_path, valid=songs, recipe=recipe, callbacks=[At(1, interrupt)]
        )
    history = training.train(model, songs, tmp_path, valid=songs, recipe=recipe)
    assert len(history) == 2
    row = history[-1]
    for kind in ("", "val_"):
        heads = [row[f"{kind}{head}_loss"] for head in ("embedding", "estimates")]
        assert row[f"{kind}loss"] == pytest.approx(0.975 * heads[0] + 0.025 * heads[1], rel=1e-3)
    again = zoo.load(tmp_path)
    assert again.recipe["loss_weights"] == {"embedding": 0.975, "estimates": 0.025}


def test_split(songs):
    tracks = data.find_tracks(songs)
    assert training.split(songs, None, ["vocals"]) == (tracks[1:], tracks[:1])
    assert training.split(tracks[:1], None, ["vocals"]) == (tracks[:1], [])
    assert training.split(tracks[:2], tracks[2:], ["vocals"]) == (tracks[:2], tracks[2:])
    many = tracks * 8
    train, valid = training.split([*many], None, ["vocals"])
    assert not {track.name for track in train} & {track.name for track in valid}


def test_split_of_recordings_without_mixtures(tmp_path):
    for speaker in ("anna", "bert"):
        for number in range(3):
            path = tmp_path / speaker / f"{number}.wav"
            path.parent.mkdir(exist_ok=True)
            data.write(path, np.full((800, 1), 0.1 * number, "float32"), 8000)
    train, valid = training.split(tmp_path, None, ["speaker_1", "speaker_2"])
    assert [len(stems) for stems in train.groups.values()] == [2, 2]
    assert [len(stems) for stems in valid.groups.values()] == [1, 1]
    with pytest.raises(InputError, match="too few for mixtures of 3"):
        training.split(tmp_path, None, ["1", "2", "3"])


def test_split_of_a_data_set_with_splits(tmp_path):
    for name in ("train", "valid", "test"):
        data.write_songs(tmp_path / "songs" / name, 2, seconds=0.1)

    def names(tracks):
        return [track.name for track in tracks]

    songs, sources = tmp_path / "songs", ["vocals"]
    train, valid = training.split(songs, None, sources)
    assert names(train) == ["train/song_0000", "train/song_0001"]
    assert names(valid) == ["valid/song_0000", "valid/song_0001"]
    train, valid = training.split(songs, songs / "test", sources)
    assert names(train) == ["train/song_0000", "train/song_0001"]
    assert names(valid) == ["song_0000", "song_0001"]
    shutil.rmtree(songs / "valid")
    train, valid = training.split(songs, None, sources)
    assert (names(train), names(valid)) == (["train/song_0001"], ["train/song_0000"])
    # What was asked for by itself is taken, whatever it is called.
    chosen = data.find_tracks(songs, split="test")
    assert training.split(chosen, None, sources) == (chosen[1:], chosen[:1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs=0, expected 1 or more"),
        ({"epoch": 3}, "recipe setting epoch, expected one of"),
        ({"data": {"batchsize": 3}}, "data settings .*batchsize.*, expected batch_size"),
        ({"loss": {"class_name": "L7", "config": {}}}, "recipe with loss .*L7"),
        (
            {"loss_weights": {"vocals": 1.0}},
            "loss_weights .*, expected none for a",
        ),
        ({"optimizer": "adamm"}, "recipe with loss .*adamm"),
        ({"early_stopping": {"patiense": 3}}, "schedule.*patiense"),
    ],
)
def test_recipes_that_are_refused(songs, tmp_path, changes, message):
    refused(message, build(), songs, tmp_path / "run", recipe=changes)
    assert not (tmp_path / "run").exists()


def test_data_that_is_refused(songs, tmp_path):
    refused("no folder", build(), tmp_path / "nowhere", tmp_path / "run")
    model = zoo.load("open_unmix_like/small", **{**SMALL, "sources": ["kazoo"]})
    refused("no stem 'kazoo'", model, songs, tmp_path / "run")
    refused("no stem 'kazoo'", model, data.find_tracks(songs), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_without_a_recipe(songs, tmp_path):
    model = type(build())(**SMALL, channels=1)
    refused("without epochs", model, songs, tmp_path / "run")


def test_the_recipe_s_augmentation_is_used(songs, tmp_path, monkeypatch):
    used = []
    add_noise = data.augmentation.add_noise

    @functools.wraps(add_noise)
    def watched(*arguments, **options):
        used.append(options)
        return add_noise(*arguments, **options)

    monkeypatch.setattr(data.augmentation, "add_noise", watched)
    settings = {**RECIPE["data"], "augment": {"add_noise": {"snr": [3, 4]}}, "snr": [0, 5]}
    recipe = json.loads(json.dumps(one_epoch(data=settings)))
    training.train(build(), songs, tmp_path / "run", recipe=recipe)
    assert {tuple(options["snr"]) for options in used} == {(3, 4)}
    kept = json.loads((tmp_path / "run" / "recipe.json").read_text("utf-8"))
    assert kept["recipe"]["data"]["augment"] == {"add_noise": {"snr": [3, 4]}}


def test_a_second_run_in_one_folder_is_refused(songs, tmp_path):
    def start(songs, **options):
        return training.train(build(), songs, tmp_path / "run", recipe=one_epoch(), **options)

    class Starts(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with pytest.raises(InputError, match="run, where another run is at work"):
                start(songs)

    assert len(start(songs, callbacks=[Starts()])) == 1
    assert sorted(path.name for path in (tmp_path / "run").iterdir() if path.is_file()) == [
        "history.csv", "model.keras", "recipe.json"
    ]  # fmt: skip


def test_samples_far_beyond_full_scale_are_warned_of(tmp_path, caplog):
    data.write_songs(tmp_path / "songs", 4, seconds=2.0)
    for path in list((tmp_path / "songs").rglob("*.flac")):
        waveform, rate = data.read(path)
        data.write(path.with_suffix(".wav"), 32768 * waveform, rate)
        path.unlink()
    training.train(build(), tmp_path / "songs", tmp_path / "run", recipe=one_epoch())
    assert caplog.text.count("go far beyond full scale") == 1
