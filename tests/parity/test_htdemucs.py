"""HTDemucs in PyTorch and here: the same weights, the same numbers."""

import json
import struct
from fractions import Fraction

import numpy as np
import pytest

from kerasep.importers import htdemucs
from kerasep.models import HTDemucsLike

pytestmark = pytest.mark.parity

SOURCES = ["drums", "bass", "other", "vocals"]
# As the released networks, but small: 512 samples of 32 bins at the lowest of two levels.
TINY = {"sources": SOURCES, "samplerate": 8000, "segment": Fraction(39, 100), "nfft": 256}
TINY |= {"channels": 8, "depth": 2, "dconv_mode": 3, "dconv_comp": 4, "t_heads": 2}
CONFIGS = {
    "as htdemucs": {"bottom_channels": 24, "t_layers": 5, "t_dropout": 0.02},
    "as htdemucs_6s": {"sources": htdemucs.SOURCES, "bottom_channels": 0, "t_layers": 2},
    "mono": {"audio_channels": 1, "bottom_channels": 16, "t_layers": 1, "t_hidden_scale": 2.0},
    "three levels": {"nfft": 1024, "depth": 3, "channels": 4, "t_layers": 3},
}


def network(torch, demucs4, **arguments):
    """A network whose norms, biases and residual branches show."""
    net = demucs4.htdemucs.HTDemucs(**{**TINY, **arguments}).eval()
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith(("bias", "norm1.weight", "norm2.weight", "norm_out.weight")):
                value.add_(0.1 * torch.randn_like(value))
            elif name.endswith("scale"):
                value.add_(0.3 * torch.randn_like(value))
    return net


def packaged(net, arguments):
    return {
        "klass": type(net),
        "args": (),
        "kwargs": {**TINY, **arguments},
        "state": net.state_dict(),
        "training_args": {"dset": {"segment": 11}},
    }


def separated(torch, demucs4, net, mixture, **options):
    """As the original's separation script: normalised, padded, separated and put back."""
    mono = mixture.mean(0)
    mean, deviation = mono.mean(), mono.std() + 1e-8
    options = {"shifts": 0, "split": False, **options}
    with torch.no_grad():
        waveform = ((mixture - mean) / deviation)[None]
        estimates = demucs4.apply.apply_model(net, waveform, **options)[0]
    return (estimates * deviation + mean).permute(2, 1, 0).numpy()


def relative_error(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("config", CONFIGS)
def test_htdemucs_network(torch, demucs4, tmp_path, config):
    """A whole chunk, and a shorter one, which both pad."""
    arguments = CONFIGS[config]
    net = network(torch, demucs4, **arguments)
    torch.save(packaged(net, arguments), tmp_path / "model.th")
    model = htdemucs.build(tmp_path / "model.th")
    assert model.sources == tuple(arguments.get("sources", SOURCES))
    assert model.chunk_seconds == 0.39
    for samples in (3120, 1777):
        mixture = 0.1 * torch.randn(model.channels, samples) + 0.03
        theirs = separated(torch, demucs4, net, mixture)
        ours = np.asarray(model(mixture.T[None].numpy()))[0]
        assert ours.shape == theirs.shape
        assert relative_error(ours, theirs) < 1e-4


def test_longer_than_a_chunk(torch, demucs4, tmp_path):
    """As in training, where the original takes any length."""
    net = network(torch, demucs4, t_layers=2)
    torch.save(packaged(net, {"t_layers": 2}), tmp_path / "model.th")
    model = htdemucs.build(tmp_path / "model.th")
    net.use_train_segment = False
    for samples in (5001, 5003):
        mixture = 0.1 * torch.randn(2, samples)
        theirs = separated(torch, demucs4, net, mixture)
        ours = np.asarray(model(mixture.T[None].numpy()))[0]
        assert relative_error(ours, theirs) < 1e-4


def safetensors(net, arguments, path):
    """Write a file as demucs' export to Hugging Face does: its settings are JSON in the header."""
    kwargs = {**TINY, **arguments}
    segment = kwargs["segment"]
    kwargs["segment"] = {
        "_type": "fraction",
        "numerator": segment.numerator,
        "denominator": segment.denominator,
    }
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(kwargs)}
    header, numbers = {"__metadata__": metadata}, b""
    for name, value in net.state_dict().items():
        raw = value.numpy().astype("<f2").tobytes()
        offsets = [len(numbers), len(numbers) + len(raw)]
        header[name] = {"dtype": "F16", "shape": list(value.shape), "data_offsets": offsets}
        numbers += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


def test_bag_of_models_in_halves(torch, demucs4, tmp_path):
    """A model per source, with weights in half precision in either kind of file."""
    arguments = {"bottom_channels": 16, "t_layers": 2}
    nets, files = [], {}
    for index, source in enumerate(SOURCES):
        net = network(torch, demucs4, **arguments).half().float()
        nets.append(net)
        files[source] = tmp_path / (f"{source}.th" if index % 2 else f"{source}.safetensors")
        if index % 2:
            package = packaged(net, arguments)
            halves = {name: value.half() for name, value in net.state_dict().items()}
            torch.save({**package, "state": halves}, files[source])
        else:
            safetensors(net, arguments, files[source])
    bag = demucs4.apply.BagOfModels(nets, [[float(i == j) for i in range(4)] for j in range(4)])
    mixture = 0.1 * torch.randn(2, 3120) + 0.03
    theirs = separated(torch, demucs4, bag, mixture)
    alone = htdemucs.build(files["drums"])
    ours = np.asarray(alone(mixture.T[None].numpy()))[0]
    assert relative_error(ours[..., 0], theirs[..., 0]) < 1e-4
    changes = {"sources": ["vocals", "drums"], "per_source": True}
    for paths in (files, tmp_path):
        model = HTDemucsLike(**{**alone.get_config(), **changes})
        htdemucs.load(model, paths)
        ours = np.asarray(model(mixture.T[None].numpy()))[0]
        assert relative_error(ours, theirs[..., [3, 0]]) < 1e-4


@pytest.mark.slow
def test_htdemucs_of_released_size(torch, demucs4, tmp_path):
    """Weights alone, of the size of htdemucs, on a chunk of its length."""
    released = {"nfft": 4096, "channels": 48, "depth": 4, "dconv_comp": 8, "t_heads": 8}
    released |= {"bottom_channels": 512, "samplerate": 44100, "segment": Fraction(39, 5)}
    net = network(torch, demucs4, **released)
    torch.save(net.state_dict(), tmp_path / "955717e8-8726e21a.th")
    model = htdemucs.build(tmp_path / "955717e8-8726e21a.th")
    assert model.count_params() == 41_984_456
    mixture = 0.1 * torch.randn(2, 343_980)
    theirs = separated(torch, demucs4, net, mixture)
    ours = np.asarray(model(mixture.T[None].numpy()))[0]
    assert relative_error(ours, theirs) < 1e-4
