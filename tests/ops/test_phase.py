"""Griffin-Lim and MISI against float64 NumPy, their laws, and their gradients."""

import itertools

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers import MISI, GriffinLim

N_FFT, HOP, SAMPLES = 64, 16, 320
WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)


def stft(x):
    """Centred transform of the first axis in complex128: (samples, ...) to (frames, bins, ...)."""
    x = np.pad(x, [(N_FFT // 2,) * 2, *[(0, 0)] * (x.ndim - 1)], mode="reflect")
    starts = range(0, len(x) - N_FFT + 1, HOP)
    window = WINDOW.reshape(-1, *[1] * (x.ndim - 1))
    return np.stack([np.fft.rfft(x[s : s + N_FFT] * window, axis=0) for s in starts])


def istft(spectrum, samples):
    window = WINDOW.reshape(-1, *[1] * (spectrum.ndim - 2))
    frames = np.fft.irfft(spectrum, N_FFT, axis=1) * window
    total = np.zeros((len(frames) * HOP + N_FFT, *frames.shape[2:]))
    weights = np.zeros_like(total)
    for index, piece in enumerate(frames):
        total[index * HOP : index * HOP + N_FFT] += piece
        weights[index * HOP : index * HOP + N_FFT] += window**2
    return (total / np.maximum(weights, 1e-10))[N_FFT // 2 :][:samples]


def direction(spectrum):
    return np.exp(1j * np.angle(spectrum))


def expected_griffin_lim(magnitude, start, iterations, momentum):
    c = magnitude * direction(start)
    before = stft(istft(c, SAMPLES))
    for _ in range(iterations):
        now = stft(istft(magnitude * direction(c), SAMPLES))
        c, before = now + momentum * (now - before), now
    return istft(magnitude * direction(c), SAMPLES)


def expected_misi(mixture, magnitudes, iterations):
    phases = direction(stft(mixture))[..., None]
    for _ in range(iterations + 1):
        sources = istft(magnitudes * phases, len(mixture))
        sources = sources + (mixture - sources.sum(axis=-1))[..., None] / magnitudes.shape[-1]
        phases = direction(stft(sources))
    return sources


def as_complex(spectrum):
    spectrum = convert_to_numpy(spectrum).astype("float64")
    return spectrum[..., 0] + 1j * spectrum[..., 1]


def smooth_magnitude(rng, *shape):
    """Return magnitudes of no waveform, without bins so weak that rounding changes their phase."""
    return 1 + rng.random(shape)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_griffin_lim_in_float64(rng, momentum):
    magnitude = smooth_magnitude(rng, 1, 21, 33, 2).astype("float32")
    start = rng.standard_normal((1, 21, 33, 2, 2)).astype("float32")
    start[0, 3] = 0
    expected = expected_griffin_lim(magnitude[0], as_complex(start[0]), 4, momentum)
    received = ops.griffin_lim(
        magnitude, N_FFT, HOP, iterations=4, momentum=momentum, initial=start, length=SAMPLES
    )
    np.testing.assert_allclose(convert_to_numpy(received)[0], expected, atol=2e-3)
    layer = GriffinLim(N_FFT, HOP, iterations=4, momentum=momentum)
    same = layer(magnitude, start, like=np.zeros((1, SAMPLES, 2)))
    np.testing.assert_allclose(convert_to_numpy(same), convert_to_numpy(received), atol=1e-5)


def inconsistency(magnitude, spectrum):
    """Distance of the magnitude to that of the nearest waveform, over all of the spectrum."""
    waveform = ops.istft(spectrum, N_FFT, HOP, center=False)
    consistent = ops.stft(waveform, N_FFT, HOP, center=False)
    squares = np.abs(as_complex(spectrum) - as_complex(consistent)) ** 2
    squares[:, :, 1:-1] *= 2  # the bins of negative frequency
    return squares.sum()


def test_griffin_lim_never_gets_worse_and_momentum_gets_further(rng):
    magnitude = rng.random((1, 20, 33, 1)).astype("float32")
    start = ops.random_phase(magnitude)

    def after(iterations, momentum):
        found = ops.alternate_projections(
            magnitude,
            start,
            lambda s: ops.stft(ops.istft(s, N_FFT, HOP, center=False), N_FFT, HOP, center=False),
            iterations,
            momentum,
        )
        np.testing.assert_allclose(np.abs(as_complex(found)), magnitude, atol=1e-5)
        return inconsistency(magnitude, found)

    # The imaginary part of the first and the last bin is lost in a waveform, so start after it.
    course = [after(iterations, 0.0) for iterations in range(1, 9)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(course))
    assert course[-1] < 0.8 * course[0]
    assert after(8, 0.99) < course[-1]


def test_griffin_lim_leaves_a_consistent_spectrum(rng):
    waveform = rng.standard_normal((2, SAMPLES, 2)).astype("float32")
    spectrum = ops.stft(waveform, N_FFT, HOP)
    again = ops.griffin_lim(
        ops.magnitude(spectrum), N_FFT, HOP, iterations=3, initial=spectrum, length=SAMPLES
    )
    np.testing.assert_allclose(convert_to_numpy(again), waveform, atol=1e-4)


def test_random_phase(rng):
    magnitude = rng.random((1, 50, 33, 2)).astype("float32")
    first, again = as_complex(ops.random_phase(magnitude)), as_complex(ops.random_phase(magnitude))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(np.abs(first), magnitude, atol=1e-6)
    assert abs(direction(first).mean()) < 0.05
    assert np.any(first != as_complex(ops.random_phase(magnitude, seed=1)))


@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_misi_in_float64(rng, iterations):
    mixture = rng.standard_normal((1, SAMPLES + 5, 2)).astype("float32")
    magnitudes = smooth_magnitude(rng, 1, 21, 33, 2, 3).astype("float32")
    expected = expected_misi(mixture[0].astype("float64"), magnitudes[0], iterations)
    received = convert_to_numpy(ops.misi(mixture, magnitudes, N_FFT, HOP, iterations=iterations))
    np.testing.assert_allclose(received[0], expected, atol=2e-3)
    same = MISI(N_FFT, HOP, iterations=iterations)(mixture, magnitudes)
    np.testing.assert_allclose(convert_to_numpy(same), received, atol=1e-5)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("level", [1e-8, 1.0, 1e4])
def test_misi_sums_to_the_mixture(rng, center, level):
    mixture = (level * rng.standard_normal((2, SAMPLES + 3, 1))).astype("float32")
    magnitudes = level * rng.random((2, 21 if center else 17, 33, 1, 2)).astype("float32")
    received = convert_to_numpy(ops.misi(mixture, magnitudes, N_FFT, HOP, center=center))
    np.testing.assert_allclose(received.sum(axis=-1), mixture, atol=2e-5 * level)


def test_misi_comes_nearer_to_the_sources(rng):
    n = np.arange(SAMPLES)
    sources = np.stack([np.sin(0.3 * n), np.sin(0.42 * n + 1) * (n > 100)], axis=-1)
    sources = sources[None, :, None].astype("float32")
    mixture = sources.sum(axis=-1)
    folded = sources[:, :, 0]
    magnitudes = ops.magnitude(ops.stft(folded, N_FFT, HOP))[..., None, :]

    def error(iterations):
        received = ops.misi(mixture, magnitudes, N_FFT, HOP, iterations=iterations)
        return np.sum((convert_to_numpy(received) - sources) ** 2)

    assert error(10) < 0.5 * error(0)


@pytest.mark.parametrize("level", [0.0, 1e-8, 1.0, 1e4])
def test_gradients_are_finite(rng, gradients, level):
    mixture = (level * rng.standard_normal((1, 100, 1))).astype("float32")
    magnitudes = level * rng.random((1, 7, 33, 1, 2)).astype("float32")
    magnitudes[:, 3] = 0
    start = ops.stft(mixture, N_FFT, HOP)

    def loss(magnitude, waveform, initial):
        estimate = ops.misi(waveform, magnitude, N_FFT, HOP, iterations=3)
        single = ops.griffin_lim(magnitude[..., 0], N_FFT, HOP, iterations=3, initial=initial)
        return keras.ops.sum(keras.ops.abs(estimate)) + keras.ops.sum(keras.ops.abs(single))

    value, found = gradients(loss, magnitudes, mixture, convert_to_numpy(start))
    assert np.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in found)
    if level:
        assert all(gradient.any() for gradient in found)


def test_gradient_of_the_magnitude_by_differences(rng, gradients):
    mixture = rng.standard_normal((1, 100, 1)).astype("float32")
    magnitudes = smooth_magnitude(rng, 1, 7, 33, 1, 2).astype("float32")
    target = rng.standard_normal((1, 100, 1, 2)).astype("float32")
    change = rng.standard_normal(magnitudes.shape)

    def loss(magnitude):
        estimate = ops.misi(mixture, magnitude, N_FFT, HOP, iterations=2)
        return keras.ops.sum(keras.ops.square(keras.ops.subtract(estimate, target)))

    def expected(step):
        moved = magnitudes[0] + step * change[0]
        return np.sum((expected_misi(mixture[0].astype("float64"), moved, 2) - target[0]) ** 2)

    _, (found,) = gradients(loss, magnitudes)
    slope = (expected(1e-5) - expected(-1e-5)) / 2e-5
    assert np.sum(found * change) == pytest.approx(slope, rel=2e-3)


def test_refusals():
    with pytest.raises(InputError, match="iterations=-1"):
        MISI(iterations=-1)
    with pytest.raises(InputError, match=r"momentum=-0\.5"):
        GriffinLim(momentum=-0.5)
    with pytest.raises(InputError, match="n_fft=63"):
        GriffinLim(63, 16)
    with pytest.raises(InputError, match="iterations=-1"):
        ops.griffin_lim(np.ones((1, 5, 33, 1)), N_FFT, HOP, iterations=-1)
