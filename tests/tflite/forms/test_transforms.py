import keras
import numpy as np
import pytest

from kerasep.layers import STFT, InverseSTFT, Magnitude, WienerFilter
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.forms.transforms import factors
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.parity import agreement


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


CASES = [  # n_fft, hop, samples, batch
    (256, 64, 1000, 1),
    (256, 64, 1024, 2),
    (512, 100, 3001, 1),
    (1000, 441, 5000, 1),
    (514, 257, 2000, 1),
    (512, 300, 2000, 1),  # hops above half a frame
    (512, 384, 5000, 2),
    (96, 48, 96, 2),
    (1536, 384, 5000, 1),
    (960, 240, 3000, 2),
    (2048, 512, 9000, 1),
    (512, 64, 40000, 1),  # several tiles that are not equal
    (2048, 64, 60000, 1),  # as many as there may be
]


def cases():
    """Each case with a number of channels of its own; the other numbers are slow tests."""
    for index, case in enumerate(CASES):
        for channels in (1, 2, 3):
            marks = [] if channels == 1 + index % 3 else [pytest.mark.slow]
            yield pytest.param(*case, channels, marks=marks)


@pytest.mark.parametrize(("n_fft", "hop", "samples", "batch", "channels"), [*cases()])
def test_forms_equal_the_layers(n_fft, hop, samples, batch, channels):
    inputs = keras.Input((samples, channels), batch_size=batch)
    spectrum = STFT(n_fft, hop)(inputs)
    inverse = InverseSTFT(n_fft, hop)
    model = keras.Model(inputs, [spectrum, inverse(spectrum, like=inputs), inverse(spectrum)])
    x = noise(batch, samples, channels)
    expected = model(x)
    with export_forms(model) as layers:
        assert len(layers) == 2
        received = model(x)
    for a, b in zip(expected, received, strict=True):
        assert agreement(a, b)[0] >= 110
    np.testing.assert_allclose(received[1], x, atol=1e-5)


@pytest.mark.parametrize(("n_fft", "hop"), [(1536, 384), (960, 240)])
def test_files_equal_the_layers_at_sizes_that_are_no_powers_of_two(n_fft, hop):
    inputs = keras.Input((8 * hop, 2), batch_size=1)
    spectrum = STFT(n_fft, hop)(inputs)
    model = keras.Model(inputs, [spectrum, InverseSTFT(n_fft, hop)(spectrum, like=inputs)])

    def function(x):
        spectrum, waveform = model(x)
        return {"spectrum": spectrum, "waveform": waveform}

    with export_forms(model):
        content, counts = convert(model, {"both": (function, {"x": inputs.shape})})
    assert "RFFT2D" not in counts
    x = noise(1, 8 * hop, 2)
    received = Interpreter(content)("both", x=x)
    for a, name in zip(model(x), ("spectrum", "waveform"), strict=True):
        assert agreement(a, received[name])[0] >= 110


@pytest.mark.parametrize("window", ["sqrt_hann", "hamming", "rectangular"])
@pytest.mark.parametrize("center", [False, True])
def test_windows_and_uncentred_frames(window, center):
    inputs = keras.Input((1000, 1), batch_size=1)
    spectrum = STFT(128, 32, window, center)(inputs)
    model = keras.Model(inputs, [spectrum, InverseSTFT(128, 32, window, center)(spectrum)])
    x = noise(1, 1000, 1)
    expected = model(x)
    with export_forms(model):
        received = model(x)
    np.testing.assert_allclose(received[0], expected[0], atol=1e-4)
    # Without centring, the outermost samples lie where the window is almost zero.
    inner = slice(None) if center else slice(16, -16)
    np.testing.assert_allclose(received[1][:, inner], expected[1][:, inner], atol=1e-5)


@pytest.mark.parametrize("n_fft", [2, 6, 34, 96, 514, 1000, 4096])
def test_factors_are_the_most_equal_ones(n_fft):
    large, small = factors(n_fft)
    assert large * small == n_fft
    assert large >= small
    assert not any(n_fft % n == 0 for n in range(small + 1, int(n_fft**0.5) + 1))


@pytest.mark.parametrize(("iterations", "forms"), [(0, 2), (1, 1)])
def test_magnitudes_and_phases_equal_the_layers_at_silence_too(iterations, forms):
    spectrum = keras.Input((7, 5, 2, 2))
    estimates = keras.Input((7, 5, 2, 3))
    outputs = [Magnitude()(spectrum), WienerFilter(iterations)(spectrum, estimates)]
    model = keras.Model([spectrum, estimates], outputs)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, 7, 5, 2, 2)).astype("float32")
    x[:, 3] = 0
    levels = rng.random((1, 7, 5, 2, 3)).astype("float32")
    levels[:, 3] = 0
    expected = model([x, levels])
    with export_forms(model) as layers:
        received = model([x, levels])
    assert len(layers) == forms
    for a, b in zip(expected, received, strict=True):
        assert agreement(a, b)[0] >= 110
