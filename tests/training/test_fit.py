"""Training runs: what they write, how they end, and the errors before they begin."""

import csv
import functools
import json
import shutil

import keras
import numpy as np
import pytest
import soundfile
from tiny_runs import FINISHED, RECIPE, At, Killed, die, files, kill, refused, tiny, train

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
# Nothing counts as an improvement: the rate falls, and patience ends before the epochs do.
STOPPING = {
    "epochs": 9,
    "plateau": {"factor": 0.5, "patience": 1, "min_delta": 10.0},
    "early_stopping": {"patience": 2, "min_delta": 10.0},
    "data": {"batch_size": 4, "crop_seconds": 0.5, "crops_per_track": 3},
}


def build(seed=0):
    keras.utils.set_random_seed(seed)
    return zoo.load("open_unmix_like/small", **SMALL)


def without_seconds(history):
    return [{key: row[key] for key in row if key != "seconds"} for row in history]


@pytest.fixture(scope="module")
def finished(songs, tmp_path_factory):
    """A run of a model of the zoo: folder, history and its normalisation when training began."""
    folder, model, shifts = tmp_path_factory.mktemp("finished") / "run", build(), []
    layer = model.get_layer("vocals_input")
    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: shifts.append(keras.ops.convert_to_numpy(layer.shift))
    )
    history = training.train(
        model, songs, folder, valid=songs, recipe=STOPPING, callbacks=[callback]
    )
    return folder, history, shifts[0]


def test_a_run_writes_its_folder(finished):
    folder, history, _ = finished
    assert files(folder) == FINISHED
    assert list(folder.glob("tensorboard/*/events*"))
    assert [row["epoch"] for row in history] == [1, 2, 3]
    np.testing.assert_allclose(
        [row["learning_rate"] for row in history], [1e-3, 1e-3, 5e-4], rtol=1e-6
    )
    with open(folder / "history.csv", newline="") as file:
        written = [
            {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
        ]
    assert written == history
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["recipe"]["epochs"] == 9
    assert recipe["arguments"]["hidden"] == 8


def test_the_saved_model_is_the_best(finished, songs):
    folder, history, _ = finished
    model = zoo.load(folder)
    assert model.recipe["epochs"] == 9
    recipes.compile_model(model, model.recipe)
    validation = data.spectrograms(songs, model, training=False, batch_size=4, crop_seconds=0.5)
    best = min(row["val_loss"] for row in history)
    assert model.evaluate(validation, verbose=0) == pytest.approx(best, rel=1e-4)


def test_the_model_starts_from_the_statistics_of_the_data(finished):
    _, _, shift = finished
    assert (shift < 0).all()


def test_a_finished_run_is_not_overwritten(finished, songs):
    folder = finished[0]
    before = (folder / "history.csv").read_bytes()
    refused("holds a finished run", songs, folder, STOPPING, build())
    assert (folder / "history.csv").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [0, 2])
def test_a_model_of_the_zoo_resumes(finished, songs, tmp_path, epoch):
    with pytest.raises(Killed):
        training.train(
            build(), songs, tmp_path / "run", valid=songs, recipe=STOPPING,
            callbacks=[At(die, batch=3 * epoch + 1)],
        )  # fmt: skip
    # After an epoch the weights come from the folder.
    model = build(seed=1 if epoch else 0)
    history = training.train(model, songs, tmp_path / "run", valid=songs, recipe=STOPPING)
    for row, expected in zip(without_seconds(history), without_seconds(finished[1]), strict=True):
        assert row == pytest.approx(expected, rel=1e-4)
    assert files(tmp_path / "run") == FINISHED


@pytest.mark.slow
def test_a_model_of_two_heads(songs, tmp_path):
    """A reference, a loss and a column of the history for each."""
    model = zoo.load(
        "chimera_like", sources=["vocals", "bass"], **zoo.describe("chimera_like")["tiny"]
    )
    settings = {"batch_size": 4, "crop_seconds": 0.5, "crops_per_track": 3, "gain": None}
    options = {"valid": songs, "recipe": {"epochs": 2, "data": settings}}
    with pytest.raises(Killed):
        training.train(model, songs, tmp_path, callbacks=[At(die, epoch=1)], **options)
    history = training.train(model, songs, tmp_path, **options)
    assert len(history) == 2
    row = history[-1]
    for kind in ("", "val_"):
        heads = [row[f"{kind}{head}_loss"] for head in ("embedding", "estimates")]
        assert row[f"{kind}loss"] == pytest.approx(0.975 * heads[0] + 0.025 * heads[1], rel=1e-3)
    assert zoo.load(tmp_path).recipe["loss_weights"] == {"embedding": 0.975, "estimates": 0.025}


def test_a_folder_whose_name_is_not_utf_8(songs, tmp_path):
    folder = tmp_path / "caf\udce9$\x1b[31m"
    train(songs, folder, {"epochs": 1})
    assert files(folder) == FINISHED
    events = sorted(path.parent.name for path in folder.glob("tensorboard/*/events*"))
    assert events == ["train", "validation"]


def test_a_run_after_a_failed_start(songs, tmp_path):
    """Also: the time limit ends it after its first epoch."""
    refused("batch_size=0", songs, tmp_path / "run", {"data": {**RECIPE["data"], "batch_size": 0}})
    assert len(train(songs, tmp_path / "run", max_minutes=0)) == 1
    assert files(tmp_path / "run") == FINISHED


def test_a_single_track_has_no_validation(songs, tmp_path):
    tracks = data.find_tracks(songs)[:1]
    (row,) = training.train(tiny(), tracks, tmp_path, recipe={**RECIPE, "epochs": 1})
    assert "val_loss" not in row
    assert np.isfinite(row["loss"])


def test_two_runs_in_one_folder(songs, tmp_path):
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: refused(
            "run, where another run is at work", songs, tmp_path / "run", {"epochs": 1}
        )
    )
    assert len(train(songs, tmp_path / "run", {"epochs": 1}, callbacks=[callback])) == 1
    assert files(tmp_path / "run") == FINISHED


def test_a_full_disk(songs, tmp_path, monkeypatch):
    def full(state, path):
        path.write_text("the beginning")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_state.RunState, "write", full)
    refused(r"state.npz.*No space left", songs, tmp_path, {"epochs": 1})
    assert files(tmp_path) == ["recipe.json"]


def test_a_full_disk_for_the_model(songs, tmp_path, monkeypatch):
    def full(model, path):
        path.write_text("the beginning")
        raise OSError("Can't write data (no appropriate conversion path)")

    monkeypatch.setattr(keras.Model, "save", full)
    refused(r"model.keras: Can't write", songs, tmp_path, {"epochs": 1})
    assert files(tmp_path) == ["recipe.json", "state.npz", "tensorboard"]


def test_invalid_files_are_named_if_no_others_are_left(songs, tmp_path):
    shutil.copytree(songs, tmp_path / "songs")
    for song in sorted((tmp_path / "songs").iterdir()):
        for stem in song.glob("vocals.*"):
            stem.unlink()
        soundfile.write(song / "vocals.wav", np.full(16000, np.nan), 8000, subtype="FLOAT")
    path = tmp_path / "songs" / ".*" / "vocals.wav"
    refused(rf"{path} has NaN or infinite samples", tmp_path / "songs", tmp_path / "run")


def test_data_that_is_invalid(songs, tmp_path):
    model = zoo.load("open_unmix_like/small", **{**SMALL, "sources": ["kazoo"]})
    for message, *arguments in (
        ("nowhere is not a folder", build(), tmp_path / "nowhere"),
        ("no stem 'kazoo'", model, songs),
        ("no stem 'kazoo'", model, data.find_tracks(songs)),
    ):
        with pytest.raises(InputError, match=message):
            training.train(*arguments, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_recipe_s_augmentation_is_used(songs, tmp_path, monkeypatch):
    used = []
    add_noise = data.augmentation.add_noise

    @functools.wraps(add_noise)
    def watched(*arguments, **options):
        used.append(options)
        return add_noise(*arguments, **options)

    monkeypatch.setattr(data.augmentation, "add_noise", watched)
    settings = {**RECIPE["data"], "augment": {"add_noise": {"snr": [3, 4]}}, "snr": [0, 5]}
    kill(songs, tmp_path / "run", json.loads(json.dumps({"data": settings})), epoch=0)
    assert {tuple(options["snr"]) for options in used} == {(3, 4)}
    kept = json.loads((tmp_path / "run" / "recipe.json").read_text("utf-8"))
    assert kept["recipe"]["data"]["augment"] == {"add_noise": {"snr": [3, 4]}}


def test_a_warning_of_samples_far_beyond_full_scale(tmp_path, caplog):
    data.write_songs(tmp_path / "songs", 4, seconds=2.0, sample_rate=8000)
    for path in list((tmp_path / "songs").rglob("*.flac")):
        waveform, rate = data.read(path)
        data.write(path.with_suffix(".wav"), 32768 * waveform, rate)
        path.unlink()
    kill(tmp_path / "songs", tmp_path / "run", epoch=0)
    assert caplog.text.count("go far beyond full scale") == 1
