"""Open-Unmix in PyTorch and here: the same weights, the same numbers."""

import numpy as np
import pytest

import kerasep
from kerasep.importers import open_unmix

pytestmark = pytest.mark.parity

N_FFT, HOP, BINS, BANDWIDTH_BINS = 4096, 1024, 2049, 1487


def random_network(torch, openunmix, **arguments):
    """A full-size network whose every number is random, batch statistics and scales included."""
    network = openunmix.model.OpenUnmix(nb_bins=BINS, max_bin=BANDWIDTH_BINS, **arguments).eval()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith(("running_var", "scale")):
                value.uniform_(0.5, 1.5)
            elif name.startswith(("bn", "input", "output")) and value.is_floating_point():
                value.normal_(0.3, 0.3)
    return network


def relative_error(ours, theirs):
    return np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("unidirectional", [False, True])
def test_full_size_network(torch, openunmix, tmp_path, unidirectional, zipped):
    network = random_network(torch, openunmix, hidden_size=512, unidirectional=unidirectional)
    path = tmp_path / "vocals.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=zipped)
    model = open_unmix.build(path)
    assert (model.max_hz, model.bidirectional) == (16000, not unidirectional)
    magnitude = torch.rand(2, 2, BINS, 100) * 10
    with torch.no_grad():
        theirs = network(magnitude).permute(0, 3, 2, 1).numpy()
    ours = model.predict_on_batch(magnitude.permute(0, 3, 2, 1).numpy())[..., 0]
    assert relative_error(ours, theirs) < 1e-4


@pytest.mark.parametrize("iterations", [0, 1, 2])
def test_waveform_to_waveform(torch, openunmix, tmp_path, iterations):
    networks = {
        target: random_network(torch, openunmix, hidden_size=64) for target in ("vocals", "drums")
    }
    for target, network in networks.items():
        torch.save(network.state_dict(), tmp_path / f"{target}.pth")
    separator = openunmix.model.Separator(networks, niter=iterations, wiener_win_len=None).eval()
    model = open_unmix.build(tmp_path)
    waveform = torch.randn(1, 2, 50_000) * 0.1
    with torch.no_grad():
        theirs = separator(waveform).permute(0, 3, 2, 1).numpy()
    ours = kerasep.Separator(model, wiener_iterations=iterations).predict_on_batch(
        waveform.permute(0, 2, 1).numpy()
    )
    assert model.sources == ("vocals", "drums")
    assert relative_error(ours, theirs) < 1e-4
