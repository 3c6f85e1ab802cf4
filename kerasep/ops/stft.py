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
    """A periodic analysis window, as float32 NumPy array `(n_fft,)`.

    Args:
        name: "hann", "sqrt_hann", "hamming" or "rectangular"; an array is taken as it is.
        n_fft: its length in samples.

    Raises:
        InputError: for a name that is not known or an array of another length.

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


# Another name where an argument takes the first.
_window = window


def check_transform(n_fft: int, hop: int, window: str | Tensor | None = None) -> None:
    """Refuse a transform that cannot be inverted.

    Args:
        n_fft: frame and FFT length in samples; even.
        hop: samples between frames; at most three quarters of a frame, where the squares of
            overlapping Hann windows still sum to 0.04 and more.
        window: a name that `window` knows, or an array of `n_fft` values. Default: unchecked.

    Raises:
        InputError: saying which of them is out of range.

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
    """Compute the length to which `stft` fills up a waveform before it centres frames.

    With a hop above half a frame that is whole hops, since the last frame would not reach the end.
    Otherwise it is the length that the waveform has.

    Args:
        samples: length of the waveform, an integer or an integer tensor.
        n_fft: samples in a frame.
        hop: samples from frame to frame.

    Returns:
        Samples, of the same type.

    Example:
    >>> filled_length(1000, 512, 256), filled_length(1000, 512, 384)
    (1000, 1152)
    """
    return -(-samples // hop) * hop if 2 * hop > n_fft else samples


def count_stft_frames(
    samples: int | Tensor, n_fft: int, hop: int, center: bool = True
) -> int | Tensor:
    """Compute how many frames `stft` has.

    Args:
        samples: length of the waveform, an integer or an integer tensor.
        n_fft: samples in a frame.
        hop: samples from frame to frame.
        center: as in `stft`. Defaults to True.

    Returns:
        Frames, of the same type.

    Example:
    >>> count_stft_frames(1000, 512, 256), count_stft_frames(1000, 512, 384)
    (4, 4)
    """
    if center:
        return 1 + filled_length(samples, n_fft, hop) // hop
    return 1 + (samples - n_fft) // hop


class Primitives(NamedTuple):
    """What `stft` is made of; `kerasep.data` runs it on TensorFlow whatever Keras runs on.

    `transform` turns frames `(batch, channels, frames, n_fft)` and a window into a spectrum.
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
    """Short-time Fourier transform of real waveforms.

    `X[t, k] = sum_n w[n] x[t hop + n] exp(-2 pi i k n / n_fft)`, not normalised: the numbers of
    `torch.stft` and `librosa.stft`. Always computed in float32.

    Args:
        waveform: tensor `(batch, samples, channels)`.
        n_fft: samples in a frame, and the FFT's length; even.
        hop: samples from frame to frame.
        window: a name that `window` knows, or an array of `n_fft` values.
        center: whether frame `t` is centred on sample `t * hop`; the waveform is then mirrored at
            both ends, and there are `1 + samples // hop` frames; with a hop above half a frame the
            waveform is first filled up to whole hops, so that every sample is in a frame. Otherwise
            frames lie inside the waveform only.
        primitives: the operations that it is computed by. Defaults to those of `keras.ops`.

    Returns:
        Spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)`; the last axis is real, imaginary.

    Raises:
        InputError: for another rank, or a waveform too short to be mirrored (`n_fft / 2 + 1`
            samples) or, without `center`, for a frame.

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
) -> Tensor:
    """Inverse of `stft`, exact wherever a window reaches, edges included.

    Frames are windowed again, added up and divided by the sum of the squared windows that really
    lie there, which is the least-squares inverse (Griffin and Lim 1984). With the periodic
    sum that holds far from the edges only, the first and last frames would come out wrong.

    One limit comes with the number of frames: with `hop = n_fft / 2`, a Hann window and a length
    that is no multiple of the hop, the last few samples lie at the very end of the last window
    alone, where rounding errors are divided by next to nothing (or, by the squared window being
    below 1e-10, the sample is lost). Pad the waveform to a multiple of the hop before `stft`, as
    `kerasep.separate` does, or take a smaller hop.

    Args:
        spectrum: tensor `(batch, frames, n_fft / 2 + 1, channels, 2)`.
        n_fft: as given to `stft`.
        hop: as given to `stft`.
        window: as given to `stft`.
        center: as given to `stft`.
        length: samples to return, no more than the frames reach. Default: `(frames - 1) * hop`,
            plus `n_fft` when not centred.

    Returns:
        Waveform `(batch, length, channels)`, float32.

    Raises:
        InputError: for another rank, a number of bins that does not fit `n_fft`, or a length
            beyond the last frame.

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
    signal = signal / ops.maximum(weight_sum, 1e-10)
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
