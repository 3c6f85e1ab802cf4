"""X-UMX in Asteroid and here: the same weights, the same numbers."""

import importlib

import numpy as np
import pytest

from kerasep.importers import x_umx

pytestmark = pytest.mark.parity

BINS, SEEN = 513, 400


@pytest.fixture(scope="module")
def network_class(asteroid):
    """Its class under PyTorch 2, where Asteroid refuses to make one by its name."""
    module = importlib.import_module("asteroid.models.x_umx")
    return getattr(module, "BrokenXUMX", module.XUMX)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("channels", "bidirectional"), [(2, True), (1, False)])
def test_x_umx_network(torch, network_class, tmp_path, channels, bidirectional, training):
    network = network_class(
        ["bass", "drums", "vocals"],
        window_length=1024,
        in_chan=1024,
        n_hop=256,
        hidden_size=32,
        nb_channels=channels,
        max_bin=SEEN,
        bidirectional=bidirectional,
    )
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var") or "scale_" in name.rpartition(".")[2]:
                value.uniform_(0.5, 1.5)
            elif value.ndim == 1 and value.is_floating_point() and "window" not in name:
                value.normal_(0.3, 0.3)
    for lstm in network.layer_lstm.values():
        lstm.dropout = 0.0
    network.train(training)
    torch.save({"state_dict": network.state_dict(), "model_name": "XUMX"}, tmp_path / "x.pth")
    model = x_umx.build(tmp_path / "x.pth", sample_rate=16000)
    assert model.sources == ("bass", "drums", "vocals")
    assert (model.bridged, model.bidirectional, model.channels) == (True, bidirectional, channels)
    for source in model.sources:
        model.get_layer(f"{source}_lstm").drop.rate = 0.0
    magnitude = 10 * torch.rand(50, 2, channels, BINS)  # (frames, batch, channels, bins)
    with torch.no_grad():
        theirs = network.apply_masks(magnitude, network.forward_masker(magnitude.clone()))
    theirs = theirs.permute(2, 1, 4, 3, 0).numpy()
    ours = np.asarray(model(magnitude.permute(1, 0, 3, 2).numpy(), training=training))
    assert np.abs(ours - theirs).max() / np.abs(theirs).max() < 1e-5
