"""Mask inference, deep clustering and Chimera in nussl and here: same weights, same numbers."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

import kerasep
from kerasep.importers import nussl
from kerasep.models import SeparationModel

pytestmark = pytest.mark.parity

BINS, N_FFT = 129, 256
TRUNK = {"num_features": BINS, "hidden_size": 40, "num_layers": 4, "bidirectional": True}
EMBEDDING = {"embedding_size": 20, "embedding_activation": ["sigmoid", "unit_norm"]}
MASKS = {"num_sources": 2, "mask_activation": ["softmax"]}
NETWORKS = {
    "mask_inference": ("mask_inference", MASKS),
    "sigmoid masks": ("mask_inference", {**MASKS, "mask_activation": ["sigmoid"]}),
    "relu masks": ("mask_inference", {**MASKS, "mask_activation": ["relu"]}),
    "causal": ("mask_inference", {**MASKS, "bidirectional": False}),
    "one layer": ("mask_inference", {**MASKS, "num_layers": 1}),
    "dpcl": ("dpcl", EMBEDDING),
    "tanh": ("dpcl", {**EMBEDDING, "embedding_activation": ["tanh", "unit_norm"]}),
    "linear": ("dpcl", {**EMBEDDING, "embedding_activation": ["unit_norm"]}),
    "chimera": ("chimera", {**EMBEDDING, **MASKS}),
    "full-size chimera": ("chimera", {**EMBEDDING, **MASKS, "hidden_size": 600}),
}


def saved(torch, networks, folder, name, dropout=0.3):
    """nussl's network with random statistics, saved by nussl, and the file."""
    builder, arguments = NETWORKS[name]
    build = getattr(networks.builders, f"build_recurrent_{builder}")
    arguments = {**TRUNK, **arguments}
    dropout = dropout if arguments["num_layers"] > 1 else 0.0  # PyTorch warns
    network = networks.SeparationModel(build(**arguments, dropout=dropout))
    randomise(torch, network)
    path = folder / "model.pth"
    network.save(str(path))
    return network, path


def randomise(torch, network):
    norm = network.layers["normalization"].batch_norm
    with torch.no_grad():
        norm.running_mean.fill_(-45.0)
        norm.running_var.fill_(300.0)
        norm.weight.fill_(1.3)
        norm.bias.fill_(0.2)
        for name, value in network.named_parameters():
            if "bias" in name and "batch_norm" not in name:
                value.add_(0.1 * torch.randn_like(value))


def magnitude(channels=1):
    """As of nussl's transform, which divides by the window's sum; silence is among it."""
    values = np.random.default_rng(0).gamma(0.3, 0.05, (2, 30, BINS, channels))
    values[:, 7:9] = 0
    return values.astype("float32")


def full_scale(model):
    return kerasep.ops.window(model.window, N_FFT).sum()


def compare(ours, theirs, scale):
    ours = ours if isinstance(ours, dict) else {"": ours}
    theirs = {key: value.detach().numpy() for key, value in theirs.items() if key != "mask"}
    assert len(ours) == len(theirs)
    for key, expected in theirs.items():
        received = convert_to_numpy(ours[key if len(ours) > 1 else ""])
        if key == "estimates":
            received = received / scale
        assert np.abs(received - expected).max() < 1e-5 * np.abs(expected).max()


def built(path, **arguments):
    settings = {"sample_rate": 8000, "hop": 64, "window": "sqrt_hann", **arguments}
    return nussl.build(path, ["one", "two"], **settings)


@pytest.mark.parametrize("name", NETWORKS)
def test_network(torch, nussl_networks, tmp_path, name):
    network, path = saved(torch, nussl_networks, tmp_path, name)
    model = built(path)
    assert isinstance(model, SeparationModel)
    scale, x = full_scale(model), magnitude()
    with torch.no_grad():
        theirs = network.eval()(mix_magnitude=torch.tensor(x))
    compare(model(scale * x), theirs, scale)


def test_training_mode(torch, nussl_networks, tmp_path):
    """With the statistics of the batch, and what is kept of them."""
    network, path = saved(torch, nussl_networks, tmp_path, "chimera", dropout=0.0)
    model = built(path)
    scale, x = full_scale(model), magnitude()
    compare(model(scale * x, training=True), network.train()(mix_magnitude=torch.tensor(x)), scale)
    norm, theirs = model.get_layer("normalization"), network.layers["normalization"].batch_norm
    for ours, expected in [
        (norm.moving_mean, theirs.running_mean),
        (norm.moving_variance, theirs.running_var),
    ]:
        np.testing.assert_allclose(convert_to_numpy(ours), expected.numpy(), rtol=1e-4)


def test_stereo(torch, nussl_networks, tmp_path):
    """nussl's builders take the channels for the heads alone; its networks can have them all."""
    config = nussl_networks.builders.build_recurrent_chimera(
        **{**TRUNK, "num_layers": 1}, **EMBEDDING, **MASKS, dropout=0.0, num_audio_channels=2
    )
    config["modules"]["recurrent_stack"]["args"]["num_features"] = 2 * BINS
    network = nussl_networks.SeparationModel(config)
    randomise(torch, network)
    network.save(str(tmp_path / "model.pth"))
    model = built(tmp_path / "model.pth")
    assert model.channels == 2
    scale, x = full_scale(model), magnitude(2)
    with torch.no_grad():
        compare(model(scale * x), network.eval()(mix_magnitude=torch.tensor(x)), scale)


def test_size_of_the_network(torch, nussl_networks, tmp_path):
    """PyTorch's LSTM adds two biases where Keras has their sum."""
    network, path = saved(torch, nussl_networks, tmp_path, "full-size chimera")
    theirs = sum(value.numel() for value in network.parameters())
    ours = sum(np.prod(weight.shape) for weight in built(path).trainable_weights)
    assert ours == theirs - 4 * 2 * 4 * 600
