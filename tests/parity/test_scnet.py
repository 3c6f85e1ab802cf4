"""SCNet in PyTorch and here: the same weights, the same numbers."""

import importlib

import numpy as np
import pytest

from kerasep.importers import scnet

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:A window was not provided:UserWarning"),
]

CONFIGS = {
    "as published": ({}, 5000),
    "two sources, a whole number of hops": ({"sources": ["a", "b"], "num_dplayer": 4}, 3 * 32),
    "mono, even hops": ({"audio_channels": 1, "dims": [2, 8, 16], "expand": 2}, 64 * 32),
    "other bands": ({"band_SR": [0.25, 0.35, 0.4], "band_stride": [1, 2, 4]}, 3001),
}
SMALL = {"dims": [4, 8, 12, 16], "nfft": 128, "hop_size": 32, "win_size": 128, "num_dplayer": 2}


def network(torch, pymss, **arguments):
    """A network whose norms show: those of a new one do nothing."""
    part = importlib.import_module(f"{pymss.__name__}.scnet")
    net = part.SCNet(**arguments).eval()
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if ".layers." in key or ".norm_layers." in key:
                value.add_(0.1 * torch.randn_like(value))
    return net


def written(torch, net, arguments, path):
    """Save weights as a training script does, and beside them its settings."""
    torch.save(
        {"epoch": 3, "best_state": {f"module.{k}": v for k, v in net.state_dict().items()}}, path
    )
    lines = [f"  {name}: {value}" for name, value in arguments.items()]
    names = [f"  - {name.title()}" for name in net.sources]
    path.with_suffix(".yaml").write_text(
        "\n".join(["model:", *lines, "training:", "  instruments:", *names])
    )
    return path


def relative_error(torch, net, model, samples):
    x = 0.1 * torch.randn(2, model.channels, samples)
    with torch.no_grad():
        theirs = net(x).numpy().transpose(0, 3, 2, 1)
    ours = model.predict_on_batch(x.numpy().transpose(0, 2, 1))
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("config", CONFIGS)
def test_scnet_network(torch, pymss, tmp_path, config):
    changes, samples = CONFIGS[config]
    arguments = SMALL | changes
    if "band_stride" in changes:
        arguments["band_kernel"] = [3, *changes["band_stride"][1:]]
    net = network(torch, pymss, **arguments)
    model = scnet.build(written(torch, net, arguments, tmp_path / "model.th"))
    assert model.sources == tuple(net.sources)
    assert relative_error(torch, net, model, samples) < 1e-4


def test_spectrum_rmse(torch, gradients):
    from kerasep import losses

    rng = np.random.default_rng(0)
    true, estimate = rng.standard_normal((2, 2, 3000, 2, 3)).astype("float32")
    received = torch.tensor(estimate, requires_grad=True)
    rows = (torch.tensor(true) - received).permute(0, 3, 2, 1).reshape(-1, 3000)
    spectra = torch.stft(
        rows, 512, 128, window=torch.ones(512), normalized=True, return_complex=True
    )
    power = torch.view_as_real(spectra).square().reshape(2, 3, -1).mean(-1)
    theirs = power.sqrt().mean()
    theirs.backward()
    loss = losses.SpectrumRMSE(n_fft=512, hop=128)
    value, (_, slopes) = gradients(lambda a, b: loss(a, b), true, estimate)
    np.testing.assert_allclose(value, theirs.item(), rtol=1e-4)
    expected = received.grad.numpy()
    assert np.abs(slopes - expected).max() < 1e-3 * np.abs(expected).max()
