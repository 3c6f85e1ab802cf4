"""HS-TasNet in hs-tasnet and here: the same weights, the same numbers."""

import importlib.util
import pathlib
import sys
import types
from unittest import mock

import numpy as np
import pytest

from kerasep import zoo
from kerasep.importers import hs_tasnet
from kerasep.models import HSTasNetLike

pytestmark = pytest.mark.parity

# What the package imports for files, sound cards and plots, which no test here needs.
STAND_INS = (
    *("torchaudio", "torchaudio.functional", "torchcodec", "torchcodec.encoders"),
    *("sounddevice", "loguru", "librosa", "matplotlib", "matplotlib.pyplot"),
)


@pytest.fixture(scope="module")
def original(torch):
    found = importlib.util.find_spec("hs_tasnet")
    if found is None:
        pytest.skip("parity needs hs-tasnet: pip install hs-tasnet --no-deps, and einx")
    for name in ("einx", "einops.layers.torch"):
        pytest.importorskip(name, reason=f"parity needs {name.partition('.')[0]}")
    modules = {name: types.ModuleType(name) for name in STAND_INS}
    for name in ("transforms", "resample", "AudioEncoder", "logger"):
        for module in modules.values():
            setattr(module, name, None)
    path = pathlib.Path(found.origin).parent / "hs_tasnet.py"
    spec = importlib.util.spec_from_file_location("hs_tasnet_networks", path)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, modules):
        spec.loader.exec_module(module)
    return module.HSTasNet


def shaken(torch, network):
    """Add noise to every weight, since masks start as ones."""
    with torch.no_grad():
        for value in network.parameters():
            value += 0.05 * torch.randn_like(value)
    return network.eval()


def largest_difference(torch, network, model, samples):
    mixture = 0.3 * torch.randn(2, network.audio_channels, samples)
    with torch.no_grad():
        theirs = network(mixture)[0].permute(0, 3, 2, 1).numpy()
    ours = np.asarray(model(mixture.permute(0, 2, 1).numpy()))
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize(("small", "channels"), [(False, 2), (True, 1)])
def test_hs_tasnet_network(torch, original, tmp_path, small, channels):
    network = original(
        dim=24, small=small, stereo=channels == 2, num_basis=40, segment_len=128, overlap_len=64,
        n_fft=128, num_sources=3,
    )  # fmt: skip
    shaken(torch, network).save(tmp_path / "model.pt")
    model = HSTasNetLike(
        ["a", "b", "c"], channels=channels, kernel_size=128, filters=40, units=24, small=small
    )
    hs_tasnet.load(model, tmp_path / "model.pt")
    assert largest_difference(torch, network, model, 1280) < 1e-5


@pytest.mark.parametrize("preset", ["full", "small"])
def test_hs_tasnet_of_full_size(torch, original, tmp_path, preset):
    """Of the biases of an LSTM only the sum has an effect, and that of the decoder has none."""
    network = shaken(torch, original(small=preset == "small"))
    network.save(tmp_path / "model.pt")
    model = zoo.load(f"hs_tasnet_like/{preset}", weights=False)
    hs_tasnet.load(model, tmp_path / "model.pt")
    state = network.state_dict()
    without = sum(value.numel() for name, value in state.items() if "bias_hh" in name) + 2
    assert model.count_params() == network.num_parameters - without
    assert largest_difference(torch, network, model, 8192) < 1e-4
