"""Asteroid's models and ours: the same file, the same numbers."""

import importlib

import keras
import numpy as np
import pytest

from kerasep.importers import asteroid as importer

pytestmark = pytest.mark.parity

CONV = {"n_filters": 32, "bn_chan": 12, "hid_chan": 20, "skip_chan": 14, "n_blocks": 4}
CONV |= {"n_repeats": 2}
DPRNN = {"n_filters": 24, "bn_chan": 12, "hid_size": 10, "chunk_size": 20, "n_repeats": 2}


@pytest.fixture(scope="module")
def models(asteroid):
    for part in ("conv_tasnet", "dprnn_tasnet"):
        importlib.import_module(f"asteroid.models.{part}")
    return asteroid.models


def shaken(network, torch):
    """A network with every weight at a value that shows."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif value.is_floating_point():
                value.add_(0.1 * torch.randn_like(value))
    return network.eval()


def published(network, torch, path, zipped=True):
    """A file as Asteroid publishes it, with versions and scores beside the weights."""
    contents = {
        "model_name": type(network).__name__,
        "state_dict": network.state_dict(),
        "model_args": network.get_model_args(),
        "dataset": "two voices",
        "infos": {
            "software_versions": {"torch_version": torch.__version__},
            "final_metrics": {"si_sdr": np.float64(12.5), "sdr": np.float32(3)},
            "training_config": {"epochs": 3, "betas": [0.9, 0.99], "clip": None},
        },
    }
    torch.save(contents, path, _use_new_zipfile_serialization=zipped)
    return path


def assert_equal(ours, network, torch, samples, batch=2):
    waveform = torch.randn(batch, 1, samples)
    with torch.no_grad():
        theirs = network(waveform).permute(0, 2, 1).numpy()[:, :, None]
    found = keras.ops.convert_to_numpy(ours(waveform.permute(0, 2, 1).numpy()))
    assert found.shape == theirs.shape
    assert np.abs(theirs).max() > 1e-3
    assert np.abs(found - theirs).max() < 1e-5 * np.abs(theirs).max()


CASES = [
    {},
    {"norm_type": "cLN", "mask_act": "softmax", "n_src": 3},
    {"norm_type": "cgLN", "mask_act": "relu", "skip_chan": 0},
    {"norm_type": "bN", "mask_act": "tanh", "encoder_activation": "relu", "conv_kernel_size": 5},
    {"causal": True, "norm_type": "cgLN", "mask_act": "relu"},
    {"causal": True, "norm_type": "cLN", "mask_act": "linear", "skip_chan": 0, "n_src": 1},
    {"kernel_size": 20, "stride": 5, "mask_act": "gelu", "sample_rate": 16000.0},
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("settings", CASES)
@pytest.mark.parametrize("samples", [800, 1003])
def test_conv_tasnet(torch, models, tmp_path, settings, samples):
    network = shaken(models.ConvTasNet(**{"n_src": 2, **CONV, **settings}), torch)
    zipped = samples == 800
    ours = importer.build(published(network, torch, tmp_path / "model.pth", zipped))
    assert ours.sample_rate == settings.get("sample_rate", 8000)
    assert ours.causal == settings.get("causal", False)
    assert_equal(ours, network, torch, samples)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"norm_type": "cLN", "mask_act": "relu", "bidirectional": False, "n_src": 3},
        {"chunk_size": 21, "hop_size": 8, "mask_act": "tanh", "norm_type": "bN"},
        {"kernel_size": 2, "stride": 1, "chunk_size": 50, "n_src": 1},
    ],
)
@pytest.mark.parametrize("samples", [480, 1003])
def test_dprnn(torch, models, tmp_path, settings, samples):
    network = shaken(models.DPRNNTasNet(**{"n_src": 2, **DPRNN, **settings}), torch)
    zipped = samples == 480
    ours = importer.build(published(network, torch, tmp_path / "model.bin", zipped))
    assert ours.bidirectional == settings.get("bidirectional", True)
    assert_equal(ours, network, torch, samples)


def test_published_sizes_of_tasnets(torch, models, tmp_path):
    network = models.ConvTasNet(2, mask_act="relu")
    ours = importer.build(published(network, torch, tmp_path / "model.pth"), ["anna", "bert"])
    count = sum(weight.numel() for weight in network.parameters())
    # The last block's 1x1 convolution to a next block, which Asteroid has and never uses.
    assert (count, ours.count_params()) == (5050545, count - 513 * 128)
    assert ours.sources == ("anna", "bert")
    assert_equal(ours, network, torch, 4003, batch=1)

    network = models.DPRNNTasNet(2)
    ours = importer.build(published(network, torch, tmp_path / "model.pth"))
    count = sum(weight.numel() for weight in network.parameters())
    # PyTorch has two biases for each direction of an LSTM.
    assert (count, ours.count_params()) == (3652865, count - 24 * 4 * 128)
    assert_equal(ours, network, torch, 4003, batch=1)


def test_conv_tasnet_in_training(torch, models, tmp_path):
    network = shaken(models.ConvTasNet(2, norm_type="bN", **CONV), torch)
    ours = importer.build(published(network, torch, tmp_path / "model.pth"))
    network.train()
    waveform = torch.randn(2, 1, 1003)
    theirs = network(waveform).detach().permute(0, 2, 1).numpy()[:, :, None]
    found = keras.ops.convert_to_numpy(ours(waveform.permute(0, 2, 1).numpy(), training=True))
    assert np.abs(found - theirs).max() < 1e-4 * np.abs(theirs).max()
