"""Transforms against torch.stft and a plain DFT, and their exact inverse."""

import pathlib

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "stft.npz"
QUARTERS = [(512, 128), (1024, 256), (2048, 512), (4096, 1024)]
NO_QUARTERS = [(400, 160), (1024, 384), (512, 256), (1024, 768)]


def round_trip(waveform, n_fft, hop, **options):
    spectrum = ops.stft(waveform, n_fft, hop, **options)
    return convert_to_numpy(ops.istft(spectrum, n_fft, hop, length=waveform.shape[1], **options))


def plain_dft(waveform, n_fft, hop, window, center):
    """Compute `stft` by its definition in float64."""
    if center:
        waveform = np.pad(waveform, ((0, 0), (n_fft // 2,) * 2, (0, 0)), mode="reflect")
    n, k = np.arange(n_fft), np.arange(n_fft // 2 + 1)
    kernel = np.exp(-2j * np.pi * np.outer(k, n) / n_fft)
    starts = range(0, waveform.shape[1] - n_fft + 1, hop)
    frames = np.stack([waveform[:, s : s + n_fft] * window[:, None] for s in starts], axis=1)
    spectrum = np.einsum("kn,btnc->btkc", kernel, frames.astype("float64"))
    return np.stack([spectrum.real, spectrum.imag], axis=-1)


@pytest.mark.parametrize("window", ["hann", "sqrt_hann"])
@pytest.mark.parametrize(("n_fft", "hop"), QUARTERS + NO_QUARTERS)
def test_noise_comes_back_whole(rng, n_fft, hop, window):
    whole = -(-9000 // hop) * hop  # half a frame's hop needs it, or more; see the test of its limit
    lengths = [whole] if 2 * hop >= n_fft else [n_fft // 2 + 1, 9001, whole]  # 9001 is prime
    for samples in lengths:
        waveform = rng.standard_normal((2, samples, 2)).astype("float32")
        again = round_trip(waveform, n_fft, hop, window=window)
        assert again.dtype == "float32"
        np.testing.assert_allclose(again, waveform, atol=1e-5, err_msg=f"{samples} samples")


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_are_transformed_alone(rng, channels):
    waveform = rng.standard_normal((2, 3001, channels)).astype("float32")
    together = convert_to_numpy(ops.stft(waveform, 400, 160))
    alone = [convert_to_numpy(ops.stft(waveform[..., [c]], 400, 160)) for c in range(channels)]
    np.testing.assert_allclose(together, np.concatenate(alone, axis=3), atol=1e-4)
    np.testing.assert_allclose(round_trip(waveform, 400, 160), waveform, atol=1e-5)


@pytest.mark.parametrize(("n_fft", "hop"), [(512, 128), (400, 160)])
def test_without_centring_the_interior_comes_back(rng, n_fft, hop):
    waveform = rng.standard_normal((1, 5000, 1)).astype("float32")
    spectrum = ops.stft(waveform, n_fft, hop, center=False)
    frames = 1 + (5000 - n_fft) // hop
    assert spectrum.shape[1] == frames
    again = convert_to_numpy(ops.istft(spectrum, n_fft, hop, center=False))
    assert again.shape == (1, (frames - 1) * hop + n_fft, 1)
    interior = slice(n_fft, again.shape[1] - n_fft)
    np.testing.assert_allclose(
        again[:, interior], waveform[:, : again.shape[1]][:, interior], atol=1e-5
    )


@pytest.mark.parametrize("samples", [1024, 5 * 256 + 1, 5 * 256 + 131, 5 * 256 + 255])
def test_limit_of_hann_at_half_a_frame(rng, samples):
    """Only the last samples of an odd length suffer, as `istft` says, and padding helps."""
    waveform = rng.standard_normal((1, samples, 1)).astype("float32")
    again = round_trip(waveform, 512, 256)
    np.testing.assert_allclose(again[:, :-4], waveform[:, :-4], atol=1e-4)
    padded = np.pad(waveform, ((0, 0), (0, -samples % 256), (0, 0)))
    again = round_trip(padded, 512, 256)[:, :samples]
    np.testing.assert_allclose(again, waveform, atol=1e-5)


def test_least_fades_the_end_out(rng):
    waveform = rng.standard_normal((1, 1000, 1)).astype("float32")
    spectrum = ops.stft(waveform, 512, 256)
    again = convert_to_numpy(ops.istft(spectrum, 512, 256, length=1000, least=0.1))
    window = np.sin(np.pi * (256 + np.arange(1000 - 768)) / 512) ** 2  # behind the last centre
    expected = waveform.copy()
    expected[0, 768:, 0] *= np.minimum(window**2 / 0.1, 1)
    np.testing.assert_allclose(again, expected, atol=1e-5)


@pytest.mark.parametrize("n_fft_hop", ["512_128", "400_160", "256_96"])
@pytest.mark.parametrize("center", [True, False])
def test_equals_torch(n_fft_hop, center):
    n_fft, hop = map(int, n_fft_hop.split("_"))
    with np.load(GOLDEN) as golden:
        expected = golden[f"{n_fft_hop}_{'centered' if center else 'inside'}"]
        spectrum = convert_to_numpy(ops.stft(golden["waveform"], n_fft, hop, center=center))
    assert spectrum.shape == expected.shape
    assert np.abs(spectrum - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("window", ["hann", "sqrt_hann", "hamming", "rectangular"])
@pytest.mark.parametrize("center", [True, False])
def test_equals_the_definition(rng, window, center):
    waveform = rng.standard_normal((2, 777, 2)).astype("float32")
    weights = ops.window(window, 96).astype("float64")
    expected = plain_dft(waveform, 96, 40, weights, center)
    spectrum = convert_to_numpy(ops.stft(waveform, 96, 40, window, center))
    np.testing.assert_allclose(spectrum, expected, atol=1e-4)


def test_windows_are_periodic():
    n = np.arange(64)
    np.testing.assert_allclose(ops.window("hann", 64), np.sin(np.pi * n / 64) ** 2, atol=1e-7)
    np.testing.assert_allclose(ops.window("sqrt_hann", 64) ** 2, ops.window("hann", 64), atol=1e-6)
    np.testing.assert_array_equal(ops.window(np.arange(8), 8), np.arange(8, dtype="float32"))


def test_gradient_is_the_adjoint(rng, gradients):
    """<stft(x), y> is linear in x: its gradient, taken against another x, gives the same."""
    x, other = rng.standard_normal((2, 1, 700, 1)).astype("float32")
    y = rng.standard_normal((1, 18, 65, 1, 2)).astype("float32")
    from keras import ops as keras_ops

    _, (gradient,) = gradients(
        lambda x: keras_ops.sum(keras_ops.multiply(ops.stft(x, 128, 40), y)), x
    )
    expected = np.sum(convert_to_numpy(ops.stft(other, 128, 40)) * y)
    np.testing.assert_allclose(np.sum(gradient * other), expected, rtol=1e-3)


def test_half_precision_is_computed_in_float32(rng):
    waveform = rng.standard_normal((1, 2000, 1)).astype("float16")
    spectrum = ops.stft(waveform, 256, 64)
    expected = ops.stft(waveform.astype("float32"), 256, 64)
    assert convert_to_numpy(spectrum).dtype == "float32"
    np.testing.assert_array_equal(convert_to_numpy(spectrum), convert_to_numpy(expected))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.stft(np.zeros((1, 256, 1)), 512, 128), "256 samples.*at least.*257"),
        (lambda: ops.stft(np.zeros((1, 256, 1)), 512, 128, center=False), "expected at least 512"),
        (lambda: ops.stft(np.zeros((256, 1)), 64, 16), r"\(256, 1\).*\(batch, samples, channels"),
        (lambda: ops.stft(np.zeros((1, 256, 1)), 63, 16), "n_fft=63.*even"),
        (lambda: ops.stft(np.zeros((1, 256, 1)), 64, 49), "hop=49.*48"),
        (lambda: ops.stft(np.zeros((1, 256, 1)), 64, 0), "hop=0"),
        (lambda: ops.stft(np.zeros((1, 256, 1)), 64, 16, "hat"), "'hat'.*hann"),
        (lambda: ops.stft(np.zeros((1, 256, 1)), 64, 16, np.ones(63)), r"\(63,\).*\(64,\)"),
        (lambda: ops.istft(np.zeros((1, 9, 32, 1, 2)), 64, 16), "32, 1, 2.*33"),
        (lambda: ops.istft(np.zeros((1, 9, 33, 2)), 64, 16), "expected .batch, frames"),
        (lambda: ops.istft(np.zeros((1, 9, 33, 1, 2)), 64, 16, length=161), "length=161.*160"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("samples", [768, 1500, 2304, 3000])
def test_hops_above_half_a_frame_reach_every_sample(samples, rng):
    waveform = rng.standard_normal((1, samples, 1)).astype("float32")
    spectrum = ops.stft(waveform, 1024, 768)
    assert spectrum.shape[1] == 1 + -(-samples // 768)
    again = convert_to_numpy(ops.istft(spectrum, 1024, 768, length=samples))
    np.testing.assert_allclose(again, waveform, atol=1e-5)
