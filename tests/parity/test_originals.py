"""`kerasep import --verify` of files of every project that it compares with."""

import re
import sys
import types

import pytest

from kerasep.cli import import_weights, verification
from kerasep.zoo import cards as presets
from tests.parity import test_asteroid_models as asteroid_networks
from tests.parity import test_demucs as demucs_networks
from tests.parity import test_hs_tasnet as hs_tasnet_networks
from tests.parity import test_htdemucs as htdemucs_networks
from tests.parity import test_mdx_net as mdx_net_networks
from tests.parity import test_roformers as roformer_networks
from tests.parity import test_scnet as scnet_networks

pytestmark = pytest.mark.parity
original = hs_tasnet_networks.original  # a fixture


def open_unmix(request, torch, path, channels):
    model = request.getfixturevalue("openunmix").model
    path.mkdir()
    sizes = {"nb_bins": 33, "max_bin": 20, "nb_layers": 2, "hidden_size": 12}
    for source in ("speech", "noise"):
        network = model.OpenUnmix(nb_channels=channels, **sizes)
        torch.save(network.state_dict(), path / f"{source}.pth")
    return {"sources": ["speech", "noise"], "channels": channels, "sample_rate": 8000, "n_fft": 64,
            "hop": 16, "max_hz": 2400, "hidden": 12, "lstm_layers": 2}  # fmt: skip


def conv_tasnet(request, torch, path):
    request.getfixturevalue("asteroid")
    from asteroid import models

    network = models.ConvTasNet(n_src=2, mask_act="relu", **asteroid_networks.CONV)
    asteroid_networks.published(asteroid_networks.shaken(network, torch), torch, path)
    return {"filters": 32, "bottleneck": 12, "hidden": 20, "skip": 14, "blocks": 4, "repeats": 2}


def dprnn(request, torch, path):
    request.getfixturevalue("asteroid")
    from asteroid import models

    network = models.DPRNNTasNet(n_src=2, **asteroid_networks.DPRNN)
    asteroid_networks.published(asteroid_networks.shaken(network, torch), torch, path)
    return {"filters": 24, "bottleneck": 12, "hidden": 10, "chunk": 20, "blocks": 2}


def demucs(request, torch, path):
    package = request.getfixturevalue("demucs2")
    network = demucs_networks.network(torch, package, channels=8, depth=3, lstm_layers=1)
    torch.save(network.state_dict(), path)
    return {"filters": 8, "levels": 3, "lstm_layers": 1}


def htdemucs(request, torch, path, files=()):
    package = request.getfixturevalue("demucs4")
    arguments = {"bottom_channels": 24, "t_layers": 2}
    network = htdemucs_networks.network(torch, package, **arguments)
    contents = htdemucs_networks.packaged(network, arguments)
    for source in files:
        path.mkdir(exist_ok=True)
        torch.save(contents, path / f"{source}.th")
    if not files:
        torch.save(contents, path)
    return {"sources": list(files) or htdemucs_networks.SOURCES, "per_source": bool(files),
            "sample_rate": 8000, "n_fft": 256, "filters": 8, "levels": 2, "compression": 4,
            "bottleneck": 24, "transformer_layers": 2, "heads": 2,
            "chunk_seconds": 0.39}  # fmt: skip


def scnet(request, torch, path):
    package = request.getfixturevalue("pymss")
    network = scnet_networks.network(torch, package, **scnet_networks.SMALL)
    torch.save({"best_state": network.state_dict()}, path)
    return {"n_fft": 128, "hop": 32, "features": [8, 12, 16], "depth": 1}


def roformer(request, torch, path, config):
    name, settings = roformer_networks.CONFIGS[config]
    package = request.getfixturevalue("pymss")
    torch.save(roformer_networks.network(torch, package, name, **settings).state_dict(), path)
    sizes = {"features": 16, "heads": 2, "head_features": 8, "depth": 2, "sample_rate": 44100}
    sizes |= {"n_fft": settings["stft_n_fft"], "hop": settings["stft_hop_length"]}
    if name == "MelBandRoformer":
        return {**sizes, "bands": settings["num_bands"]}
    sources = ["drums", "bass", "other", "vocals"]
    bands = list(settings["freqs_per_bands"])
    return {**sizes, "bands": bands, "mask_expansion": 2, "sources": sources}


def hs_tasnet(request, torch, path):
    network_class = request.getfixturevalue("original")
    package = types.SimpleNamespace(HSTasNet=network_class)
    request.getfixturevalue("monkeypatch").setitem(sys.modules, "hs_tasnet", package)
    sizes = {"segment_len": 128, "overlap_len": 64, "n_fft": 128, "num_basis": 40, "dim": 24}
    hs_tasnet_networks.shaken(torch, network_class(**sizes)).save(path)
    return {"kernel_size": 128, "filters": 40, "units": 24}


def mdx_net(request, torch, path):
    pytest.importorskip("onnxruntime", reason="parity needs onnxruntime")
    sizes = mdx_net_networks.SIZES
    network = mdx_net_networks.network(torch, **sizes)
    monkeypatch = request.getfixturevalue("monkeypatch")
    mdx_net_networks.export(torch, monkeypatch, network, path, folded=True)
    names = mdx_net_networks
    return {**sizes, "bins": names.BINS, "n_fft": names.N_FFT, "hop": names.HOP}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("package", "entry", "write", "options"),
    [
        ("openunmix", "open_unmix_like", open_unmix, {"channels": 1}),
        ("openunmix", "open_unmix_like", open_unmix, {"channels": 2}),
        ("asteroid", "conv_tasnet_like", conv_tasnet, {}),
        ("asteroid", "dprnn_like", dprnn, {}),
        ("demucs==2.0.3", "demucs_like", demucs, {}),
        ("demucs>=4.1", "htdemucs_like", htdemucs, {}),
        ("demucs>=4.1", "htdemucs_like", htdemucs, {"files": ["vocals", "bass"]}),
        ("pymss-core", "scnet_like", scnet, {}),
        ("pymss-core", "bs_roformer_like", roformer, {"config": "four stems"}),
        ("pymss-core", "mel_band_roformer_like", roformer, {"config": "mel bands"}),
        ("hs-tasnet", "hs_tasnet_like", hs_tasnet, {}),
        ("onnxruntime", "mdx_net_like", mdx_net, {}),
    ],
)
def test_verified_import(
    torch, request, tmp_path, monkeypatch, capsys, package, entry, write, options
):
    arguments = write(request, torch, tmp_path / "checkpoint.onnx", **options)
    cards = presets.all_cards()
    cards[entry]["arguments"] |= arguments
    next(iter(cards[entry]["presets"].values())).pop("arguments", None)
    monkeypatch.setattr(presets, "all_cards", lambda: cards)
    monkeypatch.setattr(verification, "SECONDS", 0.4)
    import_weights(tmp_path / "checkpoint.onnx", entry, tmp_path / "out.weights.h5", verify=True)
    text = capsys.readouterr().out
    rows = re.findall(rf"(\w+): agrees with {package} to ([\d.]+) dB", text)
    assert [source for source, _ in rows] == cards[entry]["arguments"]["sources"]
    assert min(float(decibels) for _, decibels in rows) > 90
    assert text.splitlines()[-1] == "equal to the original: at least 60 dB for all sources"
