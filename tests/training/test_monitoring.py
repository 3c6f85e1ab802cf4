"""Metrics that are logged and selected on, compiled steps, and mixed precision."""

import shutil

import keras
import numpy as np
import pytest
from tiny_runs import RECIPE, kill, load, losses, refused, tiny, train

from kerasep import data, metrics, training, zoo
from kerasep.errors import InputError
from kerasep.training import waveform_training
from kerasep.training.monitoring import find_monitor

SI_SDR = {"metrics": ["si_sdr", "si_sdr_improvement"], "monitor": "val_si_sdr"}


def score(model, songs, kind=metrics.SISDR, **settings):
    """Compute the metric over all validation batches, without `fit`."""
    options = {key: RECIPE["data"][key] for key in ("batch_size", "crop_seconds")}
    metric = kind(**settings)
    for mixture, reference in data.spectrograms(songs, model, training=False, **options):
        metric.update_state(reference, model(mixture))
    return float(metric.result())


@pytest.fixture(scope="module")
def selected(songs, tmp_path_factory):
    """A run that falls in SI-SDR after its first epoch, and selects on it."""
    folder = tmp_path_factory.mktemp("selected") / "run"
    history = train(songs, folder, {**SI_SDR, "epochs": 4})
    return folder, history


@pytest.fixture(scope="module")
def plain(songs, tmp_path_factory):
    """History of a run of two epochs in float32, compiled as by default."""
    return train(songs, tmp_path_factory.mktemp("plain") / "run", {"epochs": 2})


def test_the_logged_metric_is_the_score_of_the_validation_batches(songs, tmp_path):
    model = tiny()
    history = train(songs, tmp_path / "run", {"epochs": 1, "metrics": ["si_sdr"]}, model)
    assert history[0]["val_si_sdr"] == pytest.approx(score(model, songs), abs=1e-3)
    header = (tmp_path / "run/history.csv").read_text().splitlines()[0]
    assert header.split(",")[:5] == ["epoch", "seconds", "loss", "si_sdr", "val_loss"]


def test_the_best_weights_have_the_highest_ratio(selected, songs):
    folder, history = selected
    values = [row["val_si_sdr"] for row in history]
    assert score(load(folder), songs) == pytest.approx(max(values), abs=1e-3)
    assert max(values) - min(values) > 0.1


@pytest.mark.parametrize(
    ("monitor", "choose"),
    [("val_si_sdr", max), pytest.param("val_loss", min, marks=pytest.mark.slow)],
)
def test_the_monitor_decides(songs, tmp_path, monitor, choose):
    class Worse(keras.callbacks.Callback):
        """Log values whose best epochs differ."""

        def on_epoch_end(self, epoch, logs=None):
            logs["val_si_sdr"] = [5.0, 7.0, 6.0][epoch]
            logs["val_loss"] = [3.0, 2.0, 1.0][epoch]
            seen.append(self.model.get_weights())

    seen = []
    recipe = {"metrics": ["si_sdr"], "monitor": monitor, "plateau": None}
    history = train(songs, tmp_path / "run", recipe, callbacks=[Worse()])
    best = history.index(choose(history, key=lambda row: row[monitor]))
    assert best == (1 if choose is max else 2)
    for weight, expected in zip(load(tmp_path / "run").get_weights(), seen[best], strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_plateau_and_early_stopping_watch_it_with_its_direction(songs, tmp_path):
    class Rising(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_si_sdr"] = [1.0, 2.0, 3.0, 3.0, 3.0][epoch]

    recipe = {**SI_SDR, "epochs": 5, "early_stopping": {"patience": 1}}
    recipe["plateau"] = {"factor": 0.5, "patience": 1, "min_delta": 0.0}
    model = tiny()
    # Before the schedules, which is what `callbacks` are not: they come last.
    kept = training.fit.schedules
    training.fit.schedules = lambda *arguments: [Rising(), *kept(*arguments)]
    try:
        history = train(songs, tmp_path / "run", recipe, model)
    finally:
        training.fit.schedules = kept
    assert len(history) == 4
    rates = [row["learning_rate"] for row in history]
    assert rates[:3] == [rates[0]] * 3


def test_arguments_and_recipe_are_the_same(songs, tmp_path, selected):
    """A run by its recipe goes on with the same arguments, and not with others."""
    folder = shutil.copytree(selected[0], tmp_path / "run")
    message = "holds a run with another monitor, recipe"
    refused(message, songs, folder, {"epochs": 5}, metrics=SI_SDR["metrics"])
    kill(songs, folder, {"epochs": 5}, epoch=4, **SI_SDR)


def test_keras_own_metrics(songs, tmp_path):
    own = metrics.USDR(improvement=True, name="gain")
    history = train(songs, tmp_path / "run", {"epochs": 1}, metrics=[own], monitor="val_gain")
    assert {"gain", "val_gain"} <= history[0].keys()


def test_waveforms_on_the_device_have_the_same_scores(songs, tmp_path, monkeypatch, selected):
    monkeypatch.setattr(waveform_training, "has_accelerator", lambda: True)
    [row] = train(songs, tmp_path / "run", {**SI_SDR, "epochs": 1})
    for name in ("si_sdr", "val_si_sdr", "val_si_sdr_improvement"):
        assert row[name] == pytest.approx(selected[1][0][name], abs=1e-2)


@pytest.mark.parametrize(
    "name", [pytest.param("conv_tasnet_like", marks=pytest.mark.slow), "chimera_like"]
)
def test_models_of_the_zoo(songs, tmp_path, name):
    tiny = zoo.describe(name)["tiny"]
    model = zoo.load(name, **{**tiny, "sample_rate": 8000, "sources": ["vocals", "drums"]})
    model.recipe |= {"cosine": None}
    prefix = "estimates_" if name == "chimera_like" else ""
    recipe = {"epochs": 1, "data": {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 1}}
    [row] = training.train(
        model,
        songs,
        tmp_path / "run",
        valid=songs,
        recipe=recipe,
        metrics=["si_sdr"],
        monitor=f"val_{prefix}si_sdr",
    )
    assert np.isfinite(row[f"val_{prefix}si_sdr"])


def test_interchangeable_sources_are_reordered():
    model = zoo.load("conv_tasnet_like", **zoo.describe("conv_tasnet_like")["tiny"])
    assert model.interchangeable
    [metric] = training.monitoring.build_metrics(model, {"metrics": ["si_sdr"]})
    assert metric.permutation


@pytest.mark.parametrize("name", ["deep_clustering_like", "deep_attractor_like"])
def test_models_that_cluster_have_no_estimates(name):
    model = zoo.load(name, **zoo.describe(name)["tiny"])
    with pytest.raises(InputError, match="which estimates no sources while it trains"):
        find_monitor(model, {"metrics": ["si_sdr"]}, validated=True)


def test_a_metric_of_other_shapes_is_refused():
    recipe = {"metrics": [keras.saving.serialize_keras_object(keras.metrics.MeanSquaredError())]}
    with pytest.raises(InputError, match=r"received metric mean_squared_error .* of shape \(1, 2,"):
        find_monitor(tiny(), recipe, validated=True)
    waveforms = zoo.load("demucs_like", False, **zoo.describe("demucs_like")["tiny"])
    assert find_monitor(waveforms, recipe, validated=True).name == "val_loss"


def test_a_monitor_needs_validation():
    model = tiny()
    assert find_monitor(model, {}, validated=False) == ("loss", "min")
    with pytest.raises(InputError, match="monitor 'val_loss' without tracks to validate on"):
        find_monitor(model, {"monitor": "val_loss"}, validated=False)


def test_a_name_instead_of_a_list(songs, tmp_path):
    refused(r"metrics='si_sdr', expected a list: \['si_sdr'\]", songs, tmp_path, metrics="si_sdr")


def test_several_steps_per_execution(songs, tmp_path, unbroken):
    """Also where the epoch, of five batches, is no multiple."""
    recipe = {"steps_per_execution": 2}
    history = train(songs, tmp_path / "run", recipe, tiny(dropout=0.3))
    np.testing.assert_allclose(losses(history), losses(unbroken[1]), rtol=1e-4)


@pytest.mark.parametrize("jit_compile", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_jit_compile(songs, tmp_path, plain, jit_compile):
    model = tiny()
    history = train(songs, tmp_path / "run", {"epochs": 1}, model, jit_compile=jit_compile)
    assert model.jit_compile is jit_compile
    np.testing.assert_allclose(losses(history), losses(plain)[:1], rtol=1e-4)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float16"])
def test_mixed_precision(songs, tmp_path, plain, dtype):
    seen = {}

    class Look(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen["computes"] = {layer.compute_dtype for layer in self.model.layers}
            seen["weights"] = {weight.dtype for weight in self.model.weights}
            seen["loss"] = self.model.loss.dtype

    model = tiny()
    history = train(songs, tmp_path / "run", {"epochs": 2}, model, dtype=dtype, callbacks=[Look()])
    half = dtype.removeprefix("mixed_")
    assert half in seen["computes"]
    assert "float32" in seen["weights"]
    assert half not in seen["weights"]
    assert seen["loss"] == "float32"
    assert keras.config.dtype_policy().name == "float32"
    np.testing.assert_allclose(losses(history), losses(plain), rtol=0.05)
    # The model that was passed has the weights, and computes in float32 as before.
    assert model.compute_dtype == "float32"
    saved = load(tmp_path / "run")
    assert saved.compute_dtype == "float32"
    x = np.abs(np.random.default_rng(0).standard_normal((1, 5, 33, 1))).astype("float32")
    best = np.argmin([row["val_loss"] for row in history])
    if best == 1:
        np.testing.assert_allclose(np.asarray(saved(x)), np.asarray(model(x)), atol=1e-5)
