"""The temporal convolution network and the filterbanks against Asteroid's."""

import math

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers, ops

pytestmark = pytest.mark.parity

SIZES = {"n_blocks": 4, "n_repeats": 2, "bn_chan": 24, "hid_chan": 40, "conv_kernel_size": 3}
NORMS = {"gLN": "global", "cgLN": "cumulative", "cLN": "layer", "bN": "batch"}


def relative_error(ours, theirs):
    assert tuple(ours.shape) == tuple(theirs.shape)
    theirs = theirs.detach().numpy()
    return np.abs(convert_to_numpy(ours) - theirs).max() / np.abs(theirs).max()


def shaken(network, torch):
    """A network of Asteroid's with every weight at a value that shows."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif value.is_floating_point():
                value.add_(0.1 * torch.randn_like(value))
    return network.eval()


def numbers(module):
    """Weights of a PyTorch layer in the order and the axes of the Keras layer's."""
    state = {name: value.numpy() for name, value in module.state_dict().items()}
    if "gamma" in state:
        return [state["gamma"], state["beta"]]
    if "running_mean" in state:
        return [state[name] for name in ("weight", "bias", "running_mean", "running_var")]
    if "bias" not in state:  # PReLU
        return [state["weight"][None]]
    kernel = state["weight"]
    if kernel.shape[1] == 1:  # depthwise
        return [kernel.transpose(2, 0, 1), state["bias"]]
    return [kernel[..., 0].T, state["bias"]]


def copied(network, features):
    """Our network with Asteroid's weights."""
    ours = layers.TemporalConvNet(
        network.n_blocks,
        network.n_repeats,
        network.bn_chan,
        network.hid_chan,
        network.skip_chan,
        network.conv_kernel_size,
        NORMS[network.norm_type],
        network.causal,
    )
    ours.build((None, None, features))
    ours.input_norm.set_weights(numbers(network.bottleneck[0]))
    ours.input_conv.set_weights(numbers(network.bottleneck[1]))
    for block, theirs in zip(ours.stack, network.TCN, strict=True):
        depthwise = theirs.shared_block[3]
        pairs = [
            (block.conv, theirs.shared_block[0]),
            (block.prelus[0], theirs.shared_block[1]),
            (block.norms[0], theirs.shared_block[2]),
            (block.depthwise, depthwise[0] if network.causal else depthwise),
            (block.prelus[1], theirs.shared_block[4]),
            (block.norms[1], theirs.shared_block[5]),
            (block.residual, theirs.res_conv),
            (block.skip, theirs.skip_conv if network.skip_chan else None),
        ]
        for layer, module in pairs:
            if layer is not None:
                layer.set_weights(
                    [
                        value.reshape(weight.shape)
                        for value, weight in zip(numbers(module), layer.weights, strict=True)
                    ]
                )
    return ours


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("skip", [20, 0])
@pytest.mark.parametrize("causal", [False, True])
def test_temporal_conv_net(torch, asteroid, norm, skip, causal):
    if causal and norm == "gLN":
        pytest.skip("refused here: it sees the future")
    sources, features = 3, 30
    make = asteroid.masknn.convolutional.TDConvNet
    network = make(features, sources, norm_type=norm, skip_chan=skip, causal=causal, **SIZES)
    network = shaken(network, torch)
    x = torch.randn(2, 200, features)
    theirs = network(x.permute(0, 2, 1)).permute(0, 3, 2, 1)  # (batch, frames, bins, sources)

    ours = copied(network, features)(x.numpy())
    prelu = keras.layers.PReLU(shared_axes=[1, 2])
    head = layers.MaskHead(features, 1, sources, activation="relu")
    head(prelu(ours))
    prelu.set_weights([network.mask_net[0].weight.detach().numpy().reshape(1, 1)])
    # Asteroid's outputs are sources of bins, ours bins of sources.
    kernel, bias = numbers(network.mask_net[1])
    by_bins = [v.reshape(-1, sources, features).swapaxes(1, 2) for v in (kernel, bias)]
    weights = [v.reshape(w.shape) for v, w in zip(by_bins, head.get_weights(), strict=True)]
    head.set_weights(weights)
    masks = head(prelu(ours))
    assert theirs.any()
    assert relative_error(masks[:, :, :, 0], theirs) < 1e-4


def encoded(asteroid_filterbanks, bank, waveform):
    encoder = asteroid_filterbanks.Encoder(bank)
    return encoder(waveform.permute(0, 2, 1)).permute(0, 2, 1)[..., None]


@pytest.mark.parametrize(("filters", "kernel_size", "hop"), [(64, 16, 8), (32, 20, 5)])
def test_learned_filterbank(torch, asteroid_filterbanks, filters, kernel_size, hop):
    bank = asteroid_filterbanks.FreeFB(filters, kernel_size, hop)
    waveform = torch.randn(2, kernel_size + 99 * hop, 1)
    theirs = encoded(asteroid_filterbanks, bank, waveform)
    analysis = layers.LearnedAnalysis(filters, kernel_size, hop)
    analysis.build(waveform.shape)
    weight = bank.filters().detach().numpy()[:, 0]
    analysis.filters.assign(weight)
    ours = analysis(waveform.numpy())
    assert relative_error(ours, theirs) < 1e-5

    decoder = asteroid_filterbanks.Decoder(bank)
    synthesis = layers.LearnedSynthesis(kernel_size, hop, keras.initializers.Constant(weight))
    back = synthesis(convert_to_numpy(ours))
    theirs = decoder(theirs[..., 0].permute(0, 2, 1)).permute(0, 2, 1)
    assert relative_error(back, theirs) < 1e-5


@pytest.mark.parametrize("rate", [8000, 16000])
def test_sinc_filterbank(torch, asteroid_filterbanks, rate):
    bank = asteroid_filterbanks.ParamSincFB(64, 101, 50, sample_rate=float(rate))
    analysis = layers.SincAnalysis(64, 101, 50, sample_rate=rate)
    analysis.build((None, None, 1))
    waveform = torch.randn(2, 101 + 99 * 50, 1)
    assert relative_error(analysis.filters(), bank.filters()[:, 0]) < 1e-4
    # Once more with edges that nothing has started from.
    with torch.no_grad():
        bank.low_hz_.mul_(0.8).neg_()
        bank.band_hz_.mul_(1.7)
    analysis.low.assign(bank.low_hz_.detach().numpy()[:, 0] / rate)
    analysis.band.assign(bank.band_hz_.detach().numpy()[:, 0] / rate)
    assert relative_error(analysis.filters(), bank.filters()[:, 0]) < 1e-4
    theirs = encoded(asteroid_filterbanks, bank, waveform)
    assert relative_error(analysis(waveform.numpy()), theirs) < 1e-4


@pytest.mark.parametrize(
    ("filters", "kernel_size", "rate"), [(128, 16, 8000), (512, 16, 8000), (50, 41, 16000)]
)
def test_gammatone_filterbank(torch, asteroid_filterbanks, monkeypatch, filters, kernel_size, rate):
    # Names that NumPy no longer has.
    monkeypatch.setattr(np, "float", float, raising=False)
    monkeypatch.setattr(np, "math", math, raising=False)
    bank = asteroid_filterbanks.MultiphaseGammatoneFB(filters, kernel_size, float(rate))
    ours = ops.multiphase_gammatone(filters, kernel_size, rate)
    assert relative_error(ours, bank.filters()[:, 0]) < 1e-6
    waveform = torch.randn(2, 2 * kernel_size + 98 * (kernel_size // 2), 1)
    theirs = encoded(asteroid_filterbanks, bank, waveform[:, : -(kernel_size % 2) or None])
    analysis = layers.GammatoneAnalysis(filters, kernel_size, sample_rate=rate)
    ours = analysis(waveform.numpy())[:, : theirs.shape[1]]
    assert relative_error(ours, theirs) < 1e-5


def transforms(asteroid_filterbanks):
    """Asteroid's transform, not centred, and its inverse, by a window of its own."""
    bank = asteroid_filterbanks.STFTFB(64, 64, 16)
    window = asteroid_filterbanks.stft_fb.perfect_synthesis_window(bank.window, 16)
    inverse = asteroid_filterbanks.STFTFB(64, 64, 16, window=window)
    return asteroid_filterbanks.Encoder(bank), asteroid_filterbanks.Decoder(inverse)


def to_theirs(torch, spectrum):
    """(batch, frames, bins, channels, 2) to (batch, channels, 2 bins, frames)."""
    spectrum = np.moveaxis(convert_to_numpy(spectrum), (3, 4, 2, 1), (1, 2, 3, 4))
    return torch.from_numpy(spectrum.reshape(*spectrum.shape[:2], -1, spectrum.shape[-1]))


def to_ours(spectrum):
    """And back."""
    spectrum = spectrum.detach().numpy()
    spectrum = spectrum.reshape(*spectrum.shape[:2], 2, -1, spectrum.shape[-1])
    return keras.ops.convert_to_tensor(np.moveaxis(spectrum, (1, 2, 3, 4), (3, 4, 2, 1)))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_griffin_lim(torch, asteroid_filterbanks, momentum):
    encoder, decoder = transforms(asteroid_filterbanks)
    magnitude = 1 + torch.rand(1, 2, 33, 20)
    angles = 6 * torch.rand(magnitude.shape)
    theirs = asteroid_filterbanks.griffin_lim(magnitude, encoder, angles, decoder, 5, momentum)
    start = to_ours(torch.cat([torch.cos(angles), torch.sin(angles)], dim=2))
    found = ops.alternate_projections(
        magnitude.permute(0, 3, 2, 1).numpy(),
        start,
        lambda spectrum: to_ours(encoder(decoder(to_theirs(torch, spectrum)))),
        iterations=5,
        momentum=momentum,
    )
    assert relative_error(decoder(to_theirs(torch, found)).numpy(), theirs) < 1e-3


def test_misi(torch, asteroid_filterbanks):
    encoder, decoder = transforms(asteroid_filterbanks)
    magnitudes = 1 + torch.rand(1, 3, 33, 20)
    mixture = decoder(encoder(torch.randn(1, 1, 64 + 19 * 16)))
    angles = torch.atan2(*reversed(encoder(mixture).chunk(2, dim=2))).expand(-1, 3, -1, -1)
    theirs = asteroid_filterbanks.misi(
        mixture[:, 0], magnitudes, encoder, angles, decoder, 5, src_weights=torch.ones(1, 3, 1)
    )
    # Its result is not the mixture's, ours is: what is left is shared out once more.
    again = decoder(encoder(mixture))
    theirs = theirs + (again - theirs.sum(dim=1, keepdim=True)) / 3

    def transform(waveform):
        return to_ours(encoder(torch.from_numpy(convert_to_numpy(waveform)).permute(0, 2, 1)))

    def inverse(spectrum):
        waveform = decoder(to_theirs(torch, spectrum)).permute(0, 2, 1)
        return keras.ops.convert_to_tensor(waveform.numpy())

    ours = ops.invert_together(
        again.permute(0, 2, 1).numpy(),
        magnitudes.permute(0, 3, 2, 1).numpy()[..., None, :],
        transform,
        inverse,
        iterations=5,
    )
    assert relative_error(convert_to_numpy(ours)[:, :, 0], theirs.permute(0, 2, 1)) < 1e-3
