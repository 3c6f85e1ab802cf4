"""Band-split RoFormers in PyTorch and here: the same weights, the same numbers."""

import importlib

import numpy as np
import pytest

from kerasep.importers import roformer
from kerasep.layers import AxialTransformer
from kerasep.ops import mel_bands

pytestmark = pytest.mark.parity

COMMON = {"dim": 16, "stereo": True, "time_transformer_depth": 1, "freq_transformer_depth": 1}
COMMON |= {"dim_head": 8, "heads": 2, "flash_attn": False}
BS = {"depth": 2, "freqs_per_bands": (1, 2, 4, 8, 18), "stft_n_fft": 64, "stft_win_length": 64}
BS |= {"stft_hop_length": 12, "mask_estimator_depth": 2}
MEL = {"depth": 2, "num_bands": 7, "stft_n_fft": 128, "stft_win_length": 128}
MEL |= {"stft_hop_length": 30, "mask_estimator_depth": 1, "mlp_hidden_layers": 2}
# The default of pymss-core is True, which the code of the published checkpoints does not have.
MEL |= {"zero_dc": False}
CONFIGS = {
    "one vocal": ("BSRoformer", BS | {"num_stems": 1, "mlp_expansion_factor": 4}),
    "four stems": ("BSRoformer", BS | {"num_stems": 4, "mlp_expansion_factor": 2}),
    "mono": ("BSRoformer", BS | {"stereo": False, "mask_estimator_depth": 3}),
    "mel bands": ("MelBandRoformer", MEL | {"num_stems": 1, "sample_rate": 44100}),
    "mel bands, two stems": ("MelBandRoformer", MEL | {"num_stems": 2, "sample_rate": 16000}),
    "mel bands without DC": ("MelBandRoformer", MEL | {"zero_dc": True, "sample_rate": 44100}),
}
FILES = {"BSRoformer": "bs_roformer", "MelBandRoformer": "mel_band_roformer"}


def network(torch, pymss, name, **arguments):
    """A network whose norms show: those of a new one do nothing."""
    part = importlib.import_module(f"{pymss.__name__}.bs_roformer.{FILES[name]}")
    net = getattr(part, name)(**COMMON | arguments).eval()
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if key.endswith("gamma"):
                value.add_(0.3 * torch.randn_like(value))
    return net


def written(torch, net, arguments, path):
    """Save weights, and beside them the settings as the training script does."""
    torch.save(net.state_dict(), path)
    count = arguments.get("num_stems", 1)
    names = "".join(f"\n  - Stem {index}" for index in range(count))
    path.with_suffix(".yaml").write_text(
        "model:\n"
        f"  stft_hop_length: {arguments['stft_hop_length']}\n"
        f"  stft_n_fft: {arguments['stft_n_fft']}\n"
        f"  stereo: {str(arguments.get('stereo', True)).lower()}\n"
        f"  zero_dc: {str(arguments.get('zero_dc', False)).lower()}\n"
        f"  sample_rate: {arguments.get('sample_rate', 44100)}\n"
        "  multi_stft_resolutions_window_sizes: !!python/tuple\n  - 4096\n  - 2048\n"
        f"training:\n  instruments:{names}\n  target_instrument: null\n"
    )
    return path


def relative_error(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("config", CONFIGS)
def test_roformer_network(torch, pymss, tmp_path, config):
    name, arguments = CONFIGS[config]
    net = network(torch, pymss, name, **arguments)
    model = roformer.build(written(torch, net, arguments, tmp_path / "model.ckpt"))
    assert model.sources == tuple(f"stem_{i}" for i in range(arguments.get("num_stems", 1)))
    x = 0.1 * torch.randn(2, model.channels, arguments["stft_hop_length"] * 25)
    with torch.no_grad():
        theirs = net(x).numpy().reshape(2, len(model.sources), model.channels, -1)
    ours = model.predict_on_batch(x.numpy().transpose(0, 2, 1))
    assert relative_error(ours, theirs.transpose(0, 3, 2, 1)) < 1e-4


@pytest.mark.slow
def test_roformer_block_of_published_size(torch, pymss):
    """800 frames, as in a chunk of eight seconds."""
    transformer = importlib.import_module(f"{pymss.__name__}.bs_roformer.transformer")
    net = network(torch, pymss, "BSRoformer", **BS | {"dim_head": 64, "heads": 8, "dim": 512})
    block = net.layers[0][0].eval()
    assert isinstance(block, transformer.Transformer)
    layer = AxialTransformer(axis=1)
    layer.build((None, None, None, 512))
    state = {f"block.{name}": value.numpy() for name, value in block.state_dict().items()}
    state = {name: value for name, value in state.items() if not name.endswith("freqs")}
    roformer.weight_map.assign("block", roformer.transformer_slots("block", layer), state)
    x = torch.randn(2, 800, 512)
    with torch.no_grad():
        theirs = block(x).numpy()
    ours = np.asarray(layer(x.numpy().reshape(1, 2, 800, 512).swapaxes(1, 2)))
    assert relative_error(ours[0].swapaxes(0, 1), theirs) < 1e-4


@pytest.mark.parametrize(
    ("n_fft", "sample_rate", "bands"), [(2048, 44100, 60), (2048, 48000, 64), (1024, 16000, 40)]
)
def test_mel_bands(torch, pymss, n_fft, sample_rate, bands):
    net = network(
        torch,
        pymss,
        "MelBandRoformer",
        depth=1,
        stft_n_fft=n_fft,
        stft_win_length=n_fft,
        sample_rate=sample_rate,
        num_bands=bands,
    )
    theirs = net.freqs_per_band.numpy()
    ours = np.zeros_like(theirs)
    for row, (start, stop) in zip(ours, mel_bands(n_fft, sample_rate, bands), strict=True):
        row[start:stop] = True
    np.testing.assert_array_equal(ours, theirs)
