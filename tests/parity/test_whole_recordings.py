"""Recordings of any length, separated here and as the original's program does: the same stems."""

import numpy as np
import pytest

import kerasep
from kerasep.importers import htdemucs, mdx_net, roformer, scnet
from tests.parity import test_htdemucs as htdemucs_networks
from tests.parity import test_mdx_net as mdx_net_networks
from tests.parity import test_roformers as roformer_networks
from tests.parity import test_scnet as scnet_networks

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:A window was not provided:UserWarning"),
]

RATE = 8000


def lengths(chunk, step):
    """Shorter than a chunk, one, a sample more, two steps and a bit, and many chunks."""
    return [chunk // 3, chunk // 2 + 1, chunk, chunk + 1, chunk + step + 17, 20_007]


def song(samples, channels=2):
    """Noise whose level grows, with a constant part: a chunk's level is not the recording's."""
    rng = np.random.default_rng(samples)
    rise = np.linspace(0.02, 0.3, samples)[:, None]
    return (rise * rng.standard_normal((samples, channels)) + 0.03).astype("float32")


def separated(model, mixture, **settings):
    stems = kerasep.separate(model, mixture, consistent=False, **settings)
    return np.stack([*stems.values()], axis=-1)


def check(ours, theirs):
    """At least 60 dB, over all and over both ends."""
    assert ours.shape == theirs.shape
    for part in (slice(None), slice(500), slice(-500, None)):
        error = np.square(ours[part] - theirs[part]).sum()
        assert 10 * np.log10(np.square(theirs[part]).sum() / max(error, 1e-30)) > 60


@pytest.mark.parametrize("overlap", [None, 0.5, 0.75])
def test_demucs(torch, demucs4, tmp_path, overlap):
    arguments = {"bottom_channels": 24, "t_layers": 2}
    net = htdemucs_networks.network(torch, demucs4, **arguments)
    torch.save(htdemucs_networks.packaged(net, arguments), tmp_path / "model.th")
    model = htdemucs.build(tmp_path / "model.th")
    settings = {} if overlap is None else {"overlap": overlap}
    for samples in lengths(3120, 2340):
        mixture = song(samples)
        theirs = htdemucs_networks.separated(
            torch, demucs4, net, torch.from_numpy(mixture.T.copy()), split=True, **settings
        )
        check(separated(model, mixture, **settings), theirs)


def demixed(network, mixture, chunk, times):
    """Stems as by Music-Source-Separation-Training: chunks that start every `chunk / times`."""
    step = chunk // times
    margin = chunk - step
    mirrored = 0 < 2 * margin < len(mixture)
    if mirrored:
        mixture = np.pad(mixture, ((margin, margin), (0, 0)), "reflect")
    ramp = np.linspace(0, 1, chunk // 10)
    sums, weights = 0, np.zeros(len(mixture))
    for start in range(0, len(mixture), step):
        piece = mixture[start : start + chunk]
        mode = "reflect" if len(piece) > chunk // 2 else "constant"
        whole = np.pad(piece, ((0, chunk - len(piece)), (0, 0)), mode)
        window = np.ones(chunk)
        if start:
            window[: len(ramp)] = ramp
        if start == 0 or start + step < len(mixture):
            window[-len(ramp) :] = ramp[::-1]
        stems = network(whole)[: len(piece)] * window[: len(piece), None, None]
        sums = np.zeros((len(mixture), *stems.shape[1:])) if start == 0 else sums
        sums[start : start + chunk] += stems
        weights[start : start + chunk] += window[: len(piece)]
    with np.errstate(invalid="ignore"):
        stems = np.nan_to_num(sums / weights[:, None, None])
    return stems[margin:-margin] if mirrored else stems


def of_torch(torch, net, channels):
    """A PyTorch network as a function from `(samples, channels)` to stems."""

    def network(chunk):
        with torch.no_grad():
            stems = net(torch.from_numpy(chunk.T[None].copy()))[0].numpy()
        return stems.reshape(-1, channels, len(chunk)).transpose(2, 1, 0)

    return network


def with_chunks(path, samples):
    """Add the size of a chunk to the settings beside a checkpoint."""
    settings = path.with_suffix(".yaml")
    text = settings.read_text()
    settings.write_text(f"{text}\naudio:\n  sample_rate: {RATE}\n  chunk_size: {samples}\n")
    return path


@pytest.mark.parametrize("times", [None, 2])
def test_scnet(torch, pymss, tmp_path, times):
    net = scnet_networks.network(torch, pymss, **scnet_networks.SMALL)
    path = scnet_networks.written(torch, net, scnet_networks.SMALL, tmp_path / "model.th")
    model = scnet.build(with_chunks(path, 2000))
    assert model.chunk_seconds == 2000 / RATE
    network = of_torch(torch, net, 2)
    settings = {"overlap": 1 - 1 / times} if times else {}
    # Four chunks share more than one and a half before mirroring starts.
    cases = [*lengths(2000, 500), 3000, 3001]
    for samples in cases:
        mixture = song(samples)
        theirs = demixed(network, mixture, 2000, times or 4)
        check(separated(model, mixture, **settings), theirs)


@pytest.mark.parametrize("config", ["four stems", "mel bands"])
def test_roformers(torch, pymss, tmp_path, config):
    name, arguments = roformer_networks.CONFIGS[config]
    net = roformer_networks.network(torch, pymss, name, **arguments)
    path = roformer_networks.written(torch, net, arguments, tmp_path / "model.ckpt")
    chunk = 100 * arguments["stft_hop_length"]
    model = roformer.build(path)
    assert model.chunk_seconds == 8
    network, rate = of_torch(torch, net, 2), model.sample_rate
    for samples in lengths(chunk, chunk // 2):
        mixture = song(samples)
        theirs = demixed(network, mixture, chunk, 2)
        check(separated(model, mixture, chunk_seconds=chunk / rate), theirs)


@pytest.mark.parametrize("denoise", [False, True])
def test_ultimate_vocal_remover(torch, tmp_path, denoise):
    """MDX-Net between silence of half a frame, in chunks averaged with Hann windows."""
    net = mdx_net_networks.network(torch, **mdx_net_networks.SIZES)
    path, factor = tmp_path / "vocals.ckpt", 1.03
    torch.save({"state_dict": mdx_net_networks.checkpoint(torch, net, "newer")}, path)
    hop, trim = mdx_net_networks.HOP, mdx_net_networks.N_FFT // 2
    model = mdx_net.build(path, compensate=factor, hop=hop, sample_rate=RATE)
    chunk = hop * 63
    assert kerasep.separation.as_chunk_separator(model).chunk == chunk
    step, useful = int(0.75 * chunk), chunk - 2 * trim

    def stem_of(piece):
        parts = mdx_net_networks.spectrum(torch, torch.from_numpy(piece.T[None].copy()))
        parts[:, :, :3] = 0
        with torch.no_grad():
            stem = (net(parts) - net(-parts)) / 2 if denoise else net(parts)
            return mdx_net_networks.waveform(torch, stem, chunk)[0].numpy().T

    for samples in lengths(chunk, step):
        mixture = song(samples)
        behind = useful + trim - samples % useful
        padded = np.pad(mixture, ((trim, behind), (0, 0)))
        sums, weights = np.zeros_like(padded, "float64"), np.zeros((len(padded), 1))
        for start in range(0, len(padded), step):
            piece = padded[start : start + chunk]
            window = np.hanning(len(piece))[:, None]
            whole = np.pad(piece, ((0, chunk - len(piece)), (0, 0)))
            sums[start : start + chunk] += stem_of(whole)[: len(piece)] * window
            weights[start : start + chunk] += window
        stem = factor * (sums[trim : trim + samples] / weights[trim : trim + samples])
        theirs = np.stack([stem, mixture - stem], axis=-1)
        check(separated(model, mixture, both_polarities=denoise), theirs)
        # These stems add up to the mixture, so nothing changes them.
        stems = kerasep.separate(model, mixture, both_polarities=denoise)
        check(np.stack([*stems.values()], axis=-1), theirs)
