"""Our transforms against torch.stft and torch.istft."""

import numpy as np
import pytest

from kerasep import ops

pytestmark = pytest.mark.parity

TRANSFORMS = pytest.mark.parametrize(
    ("n_fft", "hop"), [(512, 128), (1024, 256), (2048, 512), (4096, 1024), (400, 160), (256, 96)]
)
CENTER = pytest.mark.parametrize("center", [True, False])


def relative_error(ours, theirs):
    assert tuple(ours.shape) == theirs.shape
    return np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max()


def torch_stft(torch, waveform, n_fft, hop, center):
    """(batch, samples, channels) to (batch, frames, bins, channels, 2)."""
    batch, samples, channels = waveform.shape
    spectrum = torch.stft(
        waveform.permute(0, 2, 1).reshape(-1, samples),
        n_fft,
        hop,
        window=torch.hann_window(n_fft),
        center=center,
        return_complex=True,
    )
    unfolded = torch.view_as_real(spectrum).unflatten(0, (batch, channels))
    return unfolded.permute(0, 3, 2, 1, 4)


@TRANSFORMS
@CENTER
@pytest.mark.parametrize("samples", [16384, 20011])
def test_stft(torch, n_fft, hop, center, samples):
    waveform = torch.randn(2, samples, 2)
    theirs = torch_stft(torch, waveform, n_fft, hop, center).numpy()
    ours = ops.stft(waveform.numpy(), n_fft, hop, center=center)
    assert relative_error(ours, theirs) < 1e-4


@TRANSFORMS
@pytest.mark.parametrize("length", [None, 20011])
def test_istft_of_a_spectrum_that_no_waveform_has(torch, n_fft, hop, length):
    spectrum = torch_stft(torch, torch.randn(2, 20011, 1), n_fft, hop, True)
    spectrum = spectrum * torch.rand(spectrum.shape[:-1])[..., None]
    theirs = torch.istft(
        torch.view_as_complex(spectrum[:, :, :, 0].contiguous()).permute(0, 2, 1),
        n_fft,
        hop,
        window=torch.hann_window(n_fft),
        length=length,
    )
    ours = ops.istft(spectrum.numpy(), n_fft, hop, length=length)
    assert relative_error(ours, theirs.numpy()[..., None]) < 1e-4
