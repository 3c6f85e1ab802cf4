"""DTLN's files give DTLN's numbers, as its formulas say in float64; other files are refused."""

import h5py
import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

import kerasep
from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import dtln
from kerasep.models import DTLNLike, TasNetLike

FRAME, HOP, FILTERS, UNITS = 32, 8, 10, 5
SMALL = {"frame": FRAME, "hop": HOP, "filters": FILTERS, "units": UNITS}


def random_weights(normalized):
    """Weights by the names of layer and weight, as they are in the published files."""
    bins = FRAME // 2 + 1
    shapes = {"conv1d/kernel": (1, FRAME, FILTERS), "conv1d_1/kernel": (1, FILTERS, FRAME)}
    for index, size in enumerate((bins, FILTERS)):
        dense = "dense_1" if index else "dense"
        shapes |= {f"{dense}/kernel": (UNITS, size), f"{dense}/bias": (size,)}
    for index, inputs in enumerate((bins, UNITS, FILTERS, UNITS)):
        name = f"lstm_{index}" if index else "lstm"
        shapes |= {
            f"{name}/kernel": (inputs, 4 * UNITS),
            f"{name}/recurrent_kernel": (UNITS, 4 * UNITS),
            f"{name}/bias": (4 * UNITS,),
        }
    for index, size in enumerate((bins, FILTERS) if normalized else (FILTERS,)):
        name = f"layer_normalization_{index}" if index else "layer_normalization"
        shapes |= {f"{name}/gamma": (size,), f"{name}/beta": (size,)}
    rng = np.random.default_rng(3)
    return {
        name: (0.5 * rng.standard_normal(shape)).astype("float32") for name, shape in shapes.items()
    }


def write(path, weights, versions=(":0", "", "")):
    """Write a file as Keras 2 does: the layer's name twice, and in some versions the cell's."""
    end, cell, instant = versions
    with h5py.File(path, "w") as file:
        for name, value in weights.items():
            layer, weight = name.split("/")
            layer = instant + layer if layer.startswith("layer_norm") else layer
            inner = f"{cell}/" if layer.startswith("lstm") and cell else ""
            file[f"{layer}/{layer}/{inner}{weight}{end}"] = value
    return path


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def published(weights, mixture, normalized):
    """DTLN's speech for a mixture `(samples,)`, frame by frame in float64."""

    def lstm(name, rows):
        h, c, outputs = np.zeros(UNITS), np.zeros(UNITS), []
        for row in rows:
            gates = row @ weights[f"{name}/kernel"] + h @ weights[f"{name}/recurrent_kernel"]
            i, f, g, o = np.split(gates + weights[f"{name}/bias"], 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return np.array(outputs)

    def norm(name, rows):
        variance = rows.var(axis=1, keepdims=True)
        rows = (rows - rows.mean(axis=1, keepdims=True)) / np.sqrt(variance + 1e-7)
        return rows * weights[f"{name}/gamma"] + weights[f"{name}/beta"]

    def mask(first, second, dense, rows):
        rows = lstm(second, lstm(first, rows))
        return sigmoid(rows @ weights[f"{dense}/kernel"] + weights[f"{dense}/bias"])

    weights = {name: value.astype("float64") for name, value in weights.items()}
    count = 1 + (len(mixture) - FRAME) // HOP
    frames = np.stack([mixture[n * HOP : n * HOP + FRAME] for n in range(count)])
    spectra = np.fft.rfft(frames)
    x = np.abs(spectra)
    if normalized:
        x = norm("layer_normalization", np.log(x + 1e-7))
    frames = np.fft.irfft(spectra * mask("lstm", "lstm_1", "dense", x))
    features = frames @ weights["conv1d/kernel"][0]
    x = norm("layer_normalization_1" if normalized else "layer_normalization", features)
    features = features * mask("lstm_2", "lstm_3", "dense_1", x)
    speech = np.zeros(len(mixture))
    for n, frame in enumerate(features @ weights["conv1d_1/kernel"][0]):
        speech[n * HOP : n * HOP + FRAME] += frame
    return speech


@pytest.mark.parametrize("normalized", [False, True])
def test_numbers_of_the_formulas(normalized, tmp_path):
    weights = random_weights(normalized)
    versions = ("", "lstm_cell", "instant_") if normalized else (":0", "", "")
    model = dtln.build(write(tmp_path / "model.h5", weights, versions))
    assert model.get_config() == DTLNLike(normalized=normalized, **SMALL).get_config()
    assert model.trained
    mixture = np.random.default_rng(4).standard_normal(FRAME + 20 * HOP)
    expected = published(weights, mixture, normalized)
    speech = convert_to_numpy(model(mixture[None, :, None].astype("float32")))[0, :, 0, 0]
    np.testing.assert_allclose(speech, expected, atol=1e-5 * np.abs(expected).max())


def test_the_same_by_every_way(tmp_path):
    path = write(tmp_path / "model.h5", random_weights(True))
    expected = dtln.build(path).get_weights()
    loaded = importers.load(DTLNLike(normalized=True, **SMALL), path)
    by_path = kerasep.zoo.load("dtln_like/norm_40h", weights=path, **SMALL)
    for model in (loaded, by_path):
        assert model.trained
        for one, other in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_other_kind_of_model_is_refused_and_unchanged(tmp_path):
    path = write(tmp_path / "model.h5", random_weights(True))
    model = DTLNLike(**SMALL)
    before = model.get_weights()
    with pytest.raises(InputError, match=r"layer_normalization_1/gamma.*dtln_like/norm_40h"):
        dtln.load(model, path)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def refused(path, message, model=None):
    with pytest.raises(InputError, match=message) as caught:
        dtln.load(model or DTLNLike(**SMALL), path)
    assert len(str(caught.value).splitlines()) == 1


def test_files_of_others(tmp_path):
    path = tmp_path / "model.h5"
    refused(path, r"received .*model.h5, which is not a file")
    path.write_bytes(b"not HDF5")
    refused(path, r"received weights .*model.h5, expected")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(
        tmp_path / "other.weights.h5"
    )
    refused(tmp_path / "other.weights.h5", r"expected DTLN's conv1d/kernel, .*lstm_3/kernel")
    good = write(tmp_path / "good.h5", random_weights(False))
    refused(good, "TasNetLike, expected DTLNLike", TasNetLike(filters=8, hidden=4, lstm_layers=1))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite(wrong, tmp_path):
    weights = random_weights(False)
    weights["dense/bias"][0] = wrong
    refused(write(tmp_path / "model.h5", weights), "dense/bias")


@pytest.mark.parametrize("name", ["conv1d/kernel", "lstm_3/kernel"])
@pytest.mark.parametrize("shape", [(FRAME, FILTERS), (2, FRAME, FILTERS), (1, 0, FILTERS), ()])
def test_shapes_that_no_model_has(name, shape, tmp_path):
    weights = {**random_weights(False), name: np.zeros(shape, "float32")}
    path = write(tmp_path / "model.h5", weights)
    refused(path, name)
    with pytest.raises(InputError):
        dtln.build(path)
