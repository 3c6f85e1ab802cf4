"""Demucs, version 2, in PyTorch and here: the same weights, the same numbers."""

import numpy as np
import pytest

from kerasep.importers import demucs
from kerasep.ops import resampling_filters

pytestmark = pytest.mark.parity

SOURCES = ["drums", "bass", "other", "vocals"]


def network(torch, demucs2, **arguments):
    """A network whose biases show."""
    net = demucs2.model.Demucs(sources=SOURCES, **arguments).eval()
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith("bias"):
                value.add_(0.1 * torch.randn_like(value))
    return net


def separated(torch, demucs2, net, mixture):
    """As the original's separation script: normalised, padded, separated, cut and put back."""
    mono = mixture.mean(0)
    mean, deviation = mono.mean(), mono.std()
    with torch.no_grad():
        estimates = demucs2.utils.apply_model(net, (mixture - mean) / (deviation + 1e-5))
    return (estimates * deviation + mean).permute(2, 1, 0).numpy()


def relative_error(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("samples", [2, 777, 3414, 3415, 20_001])
@pytest.mark.parametrize(
    "arguments",
    [
        {"channels": 8},
        {"channels": 12, "depth": 4, "lstm_layers": 1, "resample": False},
        {"channels": 8, "depth": 3, "kernel_size": 6, "stride": 3, "context": 1, "resample": False},
        {"channels": 8, "depth": 2, "lstm_layers": 0, "growth": 1.5, "audio_channels": 1},
    ],
)
def test_demucs_network(torch, demucs2, tmp_path, arguments, samples):
    net = network(torch, demucs2, **arguments)
    package = {
        "klass": type(net),
        "args": (),
        "kwargs": {"sources": SOURCES, "resample": True, **arguments},
        "state": net.state_dict(),
        "training_args": None,
    }
    torch.save(package, tmp_path / "demucs.th")
    model = demucs.build(tmp_path / "demucs.th")
    assert model.sources == tuple(SOURCES)
    mixture = 0.1 * torch.randn(arguments.get("audio_channels", 2), samples) + 0.03
    theirs = separated(torch, demucs2, net, mixture)
    ours = model.predict_on_batch(mixture.T[None].numpy())[0]
    assert ours.shape == theirs.shape
    assert relative_error(ours, theirs) < 1e-5


@pytest.mark.slow
def test_demucs_of_released_size(torch, demucs2, tmp_path):
    """Weights alone, as the releases are, of the size of demucs48_hq."""
    net = network(torch, demucs2, channels=48)
    torch.save(net.state_dict(), tmp_path / "demucs48_hq-28a1282c.th")
    model = demucs.build(tmp_path / "demucs48_hq-28a1282c.th")
    assert (model.filters, model.levels, model.resample) == (48, 6, True)
    mixture = 0.1 * torch.randn(2, 30_001)
    theirs = separated(torch, demucs2, net, mixture)
    ours = model.predict_on_batch(mixture.T[None].numpy())[0]
    assert relative_error(ours, theirs) < 1e-5


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1), (3, 2)])
def test_resampling_filters(torch, julius, old, new):
    theirs = julius.ResampleFrac(old, new).kernel[:, 0].numpy()
    np.testing.assert_allclose(resampling_filters(old, new), theirs, atol=1e-6)


def test_demucs_initial_weights(torch, demucs2):
    """The spread of the original's first weights is ours, whose formula takes no sample of them."""
    import keras

    from kerasep.models import DemucsLike

    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    # Several networks, since a bias has no more than 32 to 128 numbers to take a spread from.
    networks = [demucs2.model.Demucs(SOURCES, channels=32, depth=3) for _ in range(16)]
    models = [DemucsLike(filters=32, levels=3) for _ in range(16)]
    for module, ours in [
        (lambda network: network.encoder[1][0], "encoder_1_conv"),
        (lambda network: network.decoder[0][0], "decoder_2_rewrite"),
        (lambda network: network.decoder[1][2], "decoder_1_conv"),
    ]:
        theirs = [module(network) for network in networks]
        layers = [model.get_layer(ours) for model in models]
        for kind, name in [("weight", "kernel"), ("bias", "bias")]:
            expected = np.stack([getattr(layer, kind).detach().numpy() for layer in theirs])
            found = np.stack([np.asarray(getattr(layer, name)) for layer in layers])
            assert found.std() == pytest.approx(expected.std(), rel=0.05)
            assert np.abs(found).max() == pytest.approx(np.abs(expected).max(), rel=0.02)
