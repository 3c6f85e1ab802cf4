"""nussl's files: recognised by what they hold, and refused where they hold something else."""

import json

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import importers, zoo
from kerasep.errors import InputError
from kerasep.importers import nussl
from kerasep.models import ChimeraLike, DeepClusteringLike, MaskInferenceLike
from tests.importers.torch_writer import Call, Name

STFT = Name("nussl.core.audio_signal", "STFTParams")
COMPOSE = Name("nussl.datasets.transforms", "Compose")
BINS, UNITS, SOURCES, EMBEDDING = 9, 3, 2, 4
TAKES = {
    "log_spectrogram": ["mix_magnitude"],
    "normalization": ["log_spectrogram"],
    "recurrent_stack": ["normalization"],
    "embedding": ["recurrent_stack"],
    "mask": ["recurrent_stack"],
    "estimates": ["mask", "mix_magnitude"],
}
HEADS = {
    "ChimeraLike": ("embedding", "mask", "estimates"),
    "MaskInferenceLike": ("mask", "estimates"),
    "DeepClusteringLike": ("embedding",),
}


def network(heads):
    """A configuration as nussl's builders make it."""
    head = {"num_features": BINS, "hidden_size": 2 * UNITS, "num_audio_channels": 1}
    recurrent = {"num_features": BINS, "hidden_size": UNITS, "num_layers": 2, "dropout": 0.3}
    modules = {
        "mix_magnitude": {},
        "log_spectrogram": {"class": "AmplitudeToDB"},
        "normalization": {"class": "BatchNorm", "args": {}},
        "recurrent_stack": {
            "class": "RecurrentStack",
            "args": {**recurrent, "bidirectional": True, "rnn_type": "lstm"},
        },
        "embedding": {
            "class": "Embedding",
            "args": {**head, "embedding_size": EMBEDDING, "activation": ["sigmoid", "unit_norm"]},
        },
        "mask": {
            "class": "Embedding",
            "args": {**head, "embedding_size": SOURCES, "activation": ["softmax"]},
        },
        "estimates": {"class": "Mask"},
    }
    names = [*list(TAKES)[:3], *heads]
    return {
        "name": "network",
        "modules": {name: modules[name] for name in ("mix_magnitude", *names)},
        "connections": [[name, TAKES[name]] for name in names],
        "output": list(heads),
    }


def shapes(heads):
    rows = 4 * UNITS
    found = {"weight": (1,), "bias": (1,), "running_mean": (1,), "running_var": (1,)}
    found = {f"layers.normalization.batch_norm.{name}": shape for name, shape in found.items()}
    found["layers.normalization.batch_norm.num_batches_tracked"] = ()
    for layer, inputs in enumerate((BINS, 2 * UNITS)):
        for end in (f"l{layer}", f"l{layer}_reverse"):
            rnn = "layers.recurrent_stack.rnn"
            found[f"{rnn}.weight_ih_{end}"] = (rows, inputs)
            found[f"{rnn}.weight_hh_{end}"] = (rows, UNITS)
            found |= {f"{rnn}.bias_{kind}_{end}": (rows,) for kind in ("ih", "hh")}
    for head, depth in (("embedding", EMBEDDING), ("mask", SOURCES)):
        if head in heads:
            found[f"layers.{head}.linear.weight"] = (BINS * depth, 2 * UNITS)
            found[f"layers.{head}.linear.bias"] = (BINS * depth,)
    return found


@pytest.fixture
def write(write_checkpoint):
    """Function that writes a file as nussl's `SeparationModel.save` does."""

    def write(heads, config=None, trained=True, alone=False):
        rng = np.random.default_rng(0)
        state = {name: rng.random(shape, "float32") for name, shape in shapes(heads).items()}
        if alone:
            return write_checkpoint("a.pth", state)
        config = config or network(heads)
        metadata = {"config": config, "nussl_version": "1.1.9"}
        if trained:
            metadata |= {
                "stft_params": Call(
                    Name("nussl.core.audio_signal", "STFTParams"), 16, 4, "sqrt_hann"
                ),
                "train_dataset": {"transforms": Call(Name("nussl.datasets.transforms", "Compose"))},
                "sample_rate": 8000,
            }
        item = {"state_dict": state, "config": json.dumps(config), "metadata": metadata}
        return write_checkpoint("a.pth", item)

    return write


@pytest.mark.parametrize("name", HEADS)
def test_build(write, name):
    path = write(HEADS[name])
    assert nussl.arguments(path)[0] == name
    model = nussl.build(path, ["one", "two"])
    assert type(model).__name__ == name
    assert (model.sample_rate, dict(model.stft)) == (
        8000,
        {"n_fft": 16, "hop": 4, "window": "sqrt_hann"},
    )
    assert (model.units, model.lstm_layers, model.bidirectional, model.channels) == (3, 2, True, 1)
    assert model.full_scale
    norm = model.get_layer("normalization")
    received = [convert_to_numpy(value)[0] for value in norm.weights]
    np.testing.assert_allclose(received, np.random.default_rng(0).random(4, "float32"))
    magnitude = np.random.default_rng(0).random((1, 5, BINS, 1), "float32")
    assert model.estimate(magnitude).shape == (1, 5, BINS, 1, 2)


def test_arguments(write):
    path = write(HEADS["ChimeraLike"])
    assert nussl.arguments(path) == (
        "ChimeraLike",
        {
            "full_scale": True,
            "channels": 1,
            "n_fft": 16,
            "units": 3,
            "lstm_layers": 2,
            "bidirectional": True,
            "dropout": 0.3,
            "activation": "softmax",
            "embedding_activation": "sigmoid",
            "embedding": 4,
            "sample_rate": 8000,
            "hop": 4,
            "window": "sqrt_hann",
        },
    )


def chimera(**changes):
    settings = {"n_fft": 16, "hop": 4, "units": 3, "lstm_layers": 2, "embedding": 4}
    return zoo.load("chimera_like", **{**settings, **changes})


def test_into_a_model_of_the_zoo(write):
    path = write(HEADS["ChimeraLike"])
    model = importers.load(chimera(), path)
    again = nussl.build(path, ["one", "two"])
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation": "sigmoid"}, "'activation': 'softmax'.*expected.*'sigmoid'"),
        ({"embedding_activation": "tanh"}, "'embedding_activation': 'sigmoid'.*expected"),
        ({"full_scale": False}, "'full_scale': True.*expected"),
        ({"units": 4}, "of another shape"),
        ({"lstm_layers": 1}, "not expected"),
        ({"embedding": 5}, "of another shape"),
    ],
)
def test_another_models_weights_are_refused_and_none_is_set(write, changes, message):
    path = write(HEADS["ChimeraLike"])
    model = chimera(**changes)
    before = model.get_weights()
    with pytest.raises(InputError, match=message) as caught:
        nussl.load(model, path)
    assert "\n" not in str(caught.value)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cls", [MaskInferenceLike, DeepClusteringLike])
def test_another_class_is_refused(write, cls):
    path = write(HEADS["ChimeraLike"])
    model = cls(n_fft=16, hop=4, units=3, lstm_layers=2, full_scale=True)
    with pytest.raises(InputError, match=f"of .*ChimeraLike.*expected .*{cls.__name__}"):
        nussl.load(model, path)


def test_models_that_nussl_lacks(write):
    path = write(HEADS["ChimeraLike"])
    with pytest.raises(InputError, match="of DeepAttractorLike, expected ChimeraLike or"):
        nussl.load(zoo.load("deep_attractor_like", units=3), path)
    with pytest.raises(InputError, match="received a model of DeepAttractorLike"):
        importers.load(zoo.load("deep_attractor_like", units=3), path)


def changed(path, value):
    """A configuration with one thing changed."""
    config = network(HEADS["ChimeraLike"])
    *parents, last = path
    place = config
    for key in parents:
        place = place[key]
    place[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("modules", "recurrent_stack", "args", "rnn_type"), "gru"),
        (("modules", "normalization", "class"), "InstanceNorm"),
        (("modules", "normalization", "args"), {"affine": False}),
        (("modules", "embedding", "args", "activation"), ["sigmoid", "l1_norm"]),
        (("modules", "embedding", "args", "activation"), ["sigmoid"]),
        (("modules", "mask", "args", "activation"), ["softmax", "unit_norm"]),
        (("modules", "mask", "args", "activation"), ["gated_tanh"]),
        (("modules", "mask", "class"), "Concatenate"),
        (("modules", "more"), {"class": "Alias"}),
        (("modules", "more"), {}),
        (("connections", 0), ["log_spectrogram", ["normalization"]]),
        (("connections",), 3),
        (("modules",), []),
        (("modules", "mask"), 3),
    ],
)
def test_other_networks_of_nussl_are_refused(write, path, value):
    file = write(HEADS["ChimeraLike"], changed(path, value))
    with pytest.raises(InputError, match=r"a\.pth holds a network that is none of") as caught:
        nussl.arguments(file)
    assert "\n" not in str(caught.value)


def test_a_file_that_does_not_tell_its_transform(write):
    path = write(HEADS["ChimeraLike"], trained=False)
    with pytest.raises(InputError, match="does not hold sample_rate, hop, window"):
        nussl.build(path, ["one", "two"])
    model = nussl.build(path, ["one", "two"], sample_rate=8000, hop=8, window="hann")
    assert isinstance(model, ChimeraLike)
    assert dict(model.stft) == {"n_fft": 16, "hop": 8, "window": "hann"}


def test_weights_alone(write):
    """A state dict without nussl's description fits by its names and shapes."""
    path = write(HEADS["ChimeraLike"], alone=True)
    assert nussl.load(chimera(), path)
    with pytest.raises(InputError, match="holds no configuration of nussl"):
        nussl.arguments(path)


def test_other_files_are_refused(write_checkpoint, tmp_path):
    other = write_checkpoint("other.pth", {"w": np.zeros(3)})
    for path, message in [(other, "missing"), (tmp_path / "none.pth", "not a file")]:
        with pytest.raises(InputError, match=message):
            nussl.load(chimera(), path)
