"""The short-time Fourier transform and its exact inverse."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.framing import frame, overlap_add
from kerasep.system.types import Tensor

WINDOWS = ("hann", "sqrt_hann", "hamming", "rectangular")


def window(name: str | Tensor, n_fft: int) -> np.ndarray:
    """Return a periodic analysis window.

    Args:
        name: "hann", "sqrt_hann", "hamming" or "rectangular", or an array with the window itself.
        n_fft: length of the window in samples.

    Returns:
        Float32 NumPy array `(n_fft,)`.

    Raises:
        InputError: if the name is unknown or the array has a different length.

    Example:
    >>> float(window("hann", 8)[4])
    1.0
    """
    if not isinstance(name, str):
        values = np.asarray(name, "float32")
        if values.shape != (n_fft,):
            raise InputError(f"received a window of shape {values.shape}, expected ({n_fft},)")
        return values
    phase = 2 * np.pi * np.arange(n_fft) / n_fft
    if name == "hann":
        values = 0.5 - 0.5 * np.cos(phase)
    elif name == "sqrt_hann":
        values = np.sin(phase / 2)
    elif name == "hamming":
        values = 0.54 - 0.46 * np.cos(phase)
    elif name == "rectangular":
        values = np.ones(n_fft)
    else:
        raise InputError(f"received window {name!r}, expected one of {', '.join(WINDOWS)}")
    return values.astype("float32")


# For functions whose argument `window` hides the function.
_window = window


def check_transform(n_fft: int, hop: int, window: str | Tensor | None = None) -> None:
    """Validate that a transform can be inverted.

    Args:
        n_fft: length of the frames and the FFT in samples, an even number.
        hop: samples between frames, at most three quarters of a frame. The squares of overlapping
            Hann windows then still sum to 0.04 or more.
        window: a name that `window` accepts, or an array of `n_fft` values. Default: not checked.

    Raises:
        InputError: if one of them is out of range.

    Example:
    >>> check_transform(4096, 1024)
    """
    if n_fft < 2 or n_fft % 2:
        raise InputError(f"received n_fft={n_fft}, expected an even number of samples")
    if not 0 < hop <= n_fft * 3 // 4:
        raise InputError(
            f"received hop={hop}, expected 1 to 3 / 4 of n_fft = {n_fft * 3 // 4} samples"
        )
    if window is not None:
        _window(window, n_fft)


def filled_length(samples: int | Tensor, n_fft: int, hop: int) -> int | Tensor:
    """Compute the length to which `stft` pads a waveform before it centres frames.

    If the hop is above half a frame, this is a multiple of the hop, since the last frame would not
    reach the end otherwise. For smaller hops it is the length of the waveform.

    Args:
        samples: length of the waveform, an integer or an integer tensor.
        n_fft: samples in a frame.
        hop: samples from frame to frame.

    Returns:
        Number of samples, of the same type.

    Example:
    >>> filled_length(1000, 512, 256), filled_length(1000, 512, 384)
    (1000, 1152)
    """
    return -(-samples // hop) * hop if 2 * hop > n_fft else samples


def count_stft_frames(
    samples: int | Tensor, n_fft: int, hop: int, center: bool = True
) -> int | Tensor:
    """Compute the number of frames of `stft`.

    Args:
        samples: length of the waveform, an integer or an integer tensor.
        n_fft: samples in a frame.
        hop: samples from frame to frame.
        center: as in `stft`. Defaults to True.

    Returns:
        Number of frames, of the same type.

    Example:
    >>> count_stft_frames(1000, 512, 256), count_stft_frames(1000, 512, 384)
    (4, 4)
    """
    if center:
        return 1 + filled_length(samples, n_fft, hop) // hop
    return 1 + (samples - n_fft) // hop


class Primitives(NamedTuple):
    """Operations that compute `stft`; `kerasep.data` uses those of TensorFlow on every backend.

    `transform` converts frames `(batch, channels, frames, n_fft)` and a window to a spectrum.
    """

    cast: Callable
    frame: Callable
    pad: Callable
    shape: Callable
    transform: Callable
    transpose: Callable


def _transform(frames, weights):
    spectrum = ops.stack(ops.rfft(frames * ops.convert_to_tensor(weights)), axis=-1)
    return ops.transpose(spectrum, (0, 2, 3, 1, 4))


_KERAS = Primitives(ops.cast, frame, ops.pad, ops.shape, _transform, ops.transpose)


def stft(
    waveform: Tensor,
    n_fft: int,
    hop: int,
    window: str | Tensor = "hann",
    center: bool = True,
    primitives: Primitives = _KERAS,
) -> Tensor:
    """Compute the short-time Fourier transform of real waveforms.

    `X[t, k] = sum_n w[n] x[t hop + n] exp(-2 pi i k n / n_fft)` without normalisation, like
    `torch.stft` and `librosa.stft`. Always computed in float32.

    Args:
        waveform: tensor `(batch, samples, channels)`.
        n_fft: length of the frames and the FFT in samples, an even number.
        hop: samples from frame to frame.
        window: a name that `window` accepts, or an array of `n_fft` values. Defaults to "hann".
        center: whether frame `t` is centred on sample `t * hop`. The waveform is then mirrored at
            both ends, and there are `1 + samples // hop` frames. If the hop is above half a frame,
            the waveform is first padded to a multiple of the hop, so that every sample is in a
            frame. Without `center`, all frames lie inside the waveform. Defaults to True.
        primitives: operations to compute it with. Defaults to those of `keras.ops`.

    Returns:
        Spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)` with the real and the imaginary part
        on the last axis.

    Raises:
        InputError: if the waveform does not have three axes, or is too short. It needs
            `n_fft / 2 + 1` samples to be mirrored, or `n_fft` samples without `center`.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    spectrum = ops.stft(np.random.randn(1, 16000, 2).astype("float32"), 512, 128)
    assert tuple(spectrum.shape) == (1, 126, 257, 2, 2)
    ```
    """
    check_transform(n_fft, hop)
    if len(waveform.shape) != 3:
        raise InputError(
            f"received a waveform of shape {tuple(waveform.shape)}, expected "
            f"(batch, samples, channels)"
        )
    weights = _window(window, n_fft)
    samples = primitives.shape(waveform)[1]
    fills = center and 2 * hop > n_fft
    missing = filled_length(samples, n_fft, hop) - samples if fills else 0
    least = n_fft // 2 + 1 if center else n_fft
    if isinstance(samples, int) and samples + missing < least:
        raise InputError(
            f"received a waveform of {samples} samples for n_fft={n_fft}, expected at least "
            f"{least}: pad it, take longer crops or a smaller n_fft"
        )
    x = primitives.transpose(primitives.cast(waveform, "float32"), (0, 2, 1))
    if center:
        if fills:
            x = primitives.pad(x, [[0, 0], [0, 0], [0, missing]])
        x = primitives.pad(x, [[0, 0], [0, 0], [n_fft // 2, n_fft // 2]], mode="reflect")
    return primitives.transform(primitives.frame(x, n_fft, hop), weights)


def istft(
    spectrum: Tensor,
    n_fft: int,
    hop: int,
    window: str | Tensor = "hann",
    center: bool = True,
    length: int | Tensor | None = None,
    least: float = 1e-10,
) -> Tensor:
    """Compute the inverse of `stft`, which is exact for all samples in a frame, edges included.

    Frames are windowed again, summed, and divided by the sum of the squared windows at each sample.
    This is the least-squares inverse (Griffin and Lim 1984). Dividing by the periodic sum instead,
    which holds only far from the edges, would distort the first and the last frames.

    There is one limit. With `hop = n_fft / 2`, a Hann window and a length that is not a multiple of
    the hop, the last few samples are covered only by the very end of the last window. There,
    rounding errors are divided by almost zero, and samples are lost if the squared window is below
    1e-10. Pad the waveform to a multiple of the hop before `stft`, as `kerasep.separate` does, or
    use a smaller hop. Where a mask has changed the spectrum, what it leaves at the end of the
    window grows as much: `least` turns that into a fade.

    Args:
        spectrum: tensor `(batch, frames, n_fft / 2 + 1, channels, 2)`.
        n_fft: as passed to `stft`.
        hop: as passed to `stft`.
        window: as passed to `stft`. Defaults to "hann".
        center: as passed to `stft`. Defaults to True.
        length: samples to return, at most up to the end of the last frame. Default:
            `(frames - 1) * hop`, plus `n_fft` without `center`.
        least: smallest sum of squared windows that is divided by. Defaults to 1e-10.

    Returns:
        Waveform `(batch, length, channels)`, float32.

    Raises:
        InputError: if the rank is different, the number of bins does not match `n_fft`, or the
            length is beyond the last frame.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    waveform = np.random.randn(1, 5000, 1).astype("float32")
    spectrum = ops.stft(waveform, 512, 128)
    again = ops.istft(spectrum, 512, 128, length=5000)
    np.testing.assert_allclose(again, waveform, atol=1e-5)
    ```
    """
    check_transform(n_fft, hop)
    shape, bins = tuple(spectrum.shape), n_fft // 2 + 1
    if len(shape) != 5 or shape[2] != bins or shape[4] != 2:
        raise InputError(
            f"received a spectrum of shape {shape}, expected (batch, frames, {bins}, channels, 2): "
            f"n_fft / 2 + 1 bins"
        )
    weights = ops.convert_to_tensor(_window(window, n_fft))
    spectrum = ops.transpose(ops.cast(spectrum, "float32"), (0, 3, 1, 2, 4))
    frames = ops.irfft((spectrum[..., 0], spectrum[..., 1]), n_fft)
    signal = overlap_add(frames * weights, hop)
    count = ops.shape(frames)[-2]
    squares = ops.broadcast_to(ops.square(weights), (1, 1, count, n_fft))
    weight_sum = overlap_add(squares, hop)
    signal = signal / ops.maximum(weight_sum, least)
    start = n_fft // 2 if center else 0
    if length is None:
        length = (count - 1) * hop + (0 if center else n_fft)
    reach = (count - 1) * hop + n_fft - start
    if isinstance(length, int) and isinstance(reach, int) and length > reach:
        raise InputError(
            f"received length={length} for {count} frames, which reach to sample {reach}"
        )
    signal = signal[..., start : start + length]
    return ops.transpose(signal, (0, 2, 1))
