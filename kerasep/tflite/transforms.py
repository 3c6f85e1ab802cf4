"""STFT and inverse as small real matrix products, with the results of `kerasep.ops.stft`.

TFLite has neither an inverse FFT nor complex multiplication. A transform of length `n1 * n2` is two
transforms, of lengths `n1` and `n2`, with a rotation between (Cooley and Tukey 1965); each is a
product with a small matrix, so the weights take 0.1 MB where one full matrix would take 67 MB.
"""

import math

import numpy as np
import tensorflow as tf

from kerasep import ops


def stft_form(layer):
    """Return a replacement for the `call` of a `kerasep.layers.STFT`.

    Args:
        layer: the layer.

    Returns:
        A function of a waveform `(batch, samples, channels)` of fixed shape.
    """
    n_fft, hop = layer.n_fft, layer.hop
    window = ops.window(layer.window, n_fft)

    def call(waveform):
        x = tf.transpose(waveform, (0, 2, 1))
        if layer.center:
            margin = n_fft // 2
            x = tf.pad(x, [[0, 0], [0, 0], [margin, margin]], mode="REFLECT")
        frames = cut_frames(x, n_fft, hop)
        batch, channels, count, _ = frames.shape
        spectrum = rfft(tf.reshape(frames * window, (-1, n_fft)))  # (rows, k1, 2, k2)
        _, n1, _, n2 = spectrum.shape
        spectrum = tf.reshape(spectrum, (batch * channels, count, n1, 2, n2))
        if batch > 1:
            spectrum = tf.reshape(spectrum, (batch, channels, count, n1, 2, n2))
            spectrum = tf.transpose(spectrum, (0, 2, 5, 3, 1, 4))
        else:  # one axis less: TFLite's fast transposition takes five
            spectrum = tf.transpose(spectrum, (1, 4, 2, 0, 3))
        return tf.reshape(spectrum, (batch, count, n1 * n2, channels, 2))[:, :, : n_fft // 2 + 1]

    return call


def inverse_stft_form(layer):
    """Return a replacement for the `call` of a `kerasep.layers.InverseSTFT`.

    Args:
        layer: the layer.

    Returns:
        A function of a spectrum `(batch, frames, bins, channels, 2)` of fixed shape, and a waveform
        whose length the result takes.
    """
    n_fft, hop = layer.n_fft, layer.hop
    window = ops.window(layer.window, n_fft)

    def call(spectrum, like=None):
        batch, count, bins, channels, _ = spectrum.shape
        rows = tf.reshape(spectrum, (batch * count, bins, channels, 2))
        rows = tf.reshape(tf.transpose(rows, (0, 2, 3, 1)), (-1, 2, bins))
        frames = irfft(rows[:, 0], rows[:, 1], n_fft) * window
        frames = tf.reshape(frames, (batch, count, channels, n_fft))
        signal = add_frames(tf.transpose(frames, (0, 2, 1, 3)), hop, window)
        start = n_fft // 2 if layer.center else 0
        length = (count - 1) * hop + (0 if layer.center else n_fft)
        if like is not None:
            length = like.shape[1]
        return tf.transpose(signal[..., start : start + length], (0, 2, 1))

    return call


def factors(n_fft):
    """Split a transform's length into two factors as equal as can be, the larger one first.

    Example:
    >>> factors(4096), factors(1000)
    ((64, 64), (40, 25))
    """
    small = max(n for n in range(1, math.isqrt(n_fft) + 1) if n_fft % n == 0)
    return n_fft // small, small


def rfft(frames):
    """Transform real frames.

    With `n = n2 i + j` and `k = k1 + n1 k2`, the sum over `i` gives a transform of length `n1` for
    each `j`, and after a rotation by `j k1` the sum over `j` gives one of length `n2`.

    Args:
        frames: tensor `(rows, n_fft)`.

    Returns:
        Tensor `(rows, n1, 2, n2 // 2 + 1)`: bin `k1 + n1 k2` at `[:, k1, :, k2]`, real and imaginary
        part on the axis between.
    """
    n_fft = frames.shape[-1]
    n1, n2 = factors(n_fft)
    half = n2 // 2 + 1
    first = _roots(n1, n1, n1)
    turn = _roots(n2, n1, n_fft)
    second = _roots(n2, half, n2)
    x = tf.transpose(tf.reshape(frames, (-1, n1, n2)), (0, 2, 1))
    x = tf.matmul(tf.reshape(x, (-1, n1)), _real(np.hstack([first.real, first.imag])))
    x = tf.reshape(x, (-1, n2, 2 * n1))
    real, imag = _rotated(x[..., :n1], x[..., n1:], turn)
    x = tf.transpose(tf.concat([real, imag], 1), (0, 2, 1))
    stacked = np.block([[second.real, second.imag], [-second.imag, second.real]])
    x = tf.matmul(tf.reshape(x, (-1, 2 * n2)), _real(stacked))
    return tf.reshape(x, (-1, n1, 2, half))


def irfft(real, imag, n_fft):
    """Invert `rfft`, from bins in their natural order.

    Args:
        real: tensor `(rows, n_fft / 2 + 1)`.
        imag: likewise; like any inverse of a real transform, this ignores it at the first and
            last bin.
        n_fft: length of a frame.

    Returns:
        Tensor `(rows, n_fft)`.
    """
    n1, n2 = factors(n_fft)
    first = _roots(n2, n2, n2).conj()
    turn = _roots(n1, n2, n_fft).conj()
    second = _roots(n1, n1, n1).conj() / n_fft
    halves = [
        tf.concat([real, tf.reverse(real[:, 1:-1], [-1])], -1),
        tf.concat([imag, -tf.reverse(imag[:, 1:-1], [-1])], -1),
    ]
    halves = [tf.transpose(tf.reshape(x, (-1, n2, n1)), (0, 2, 1)) for x in halves]
    x = tf.reshape(tf.concat(halves, -1), (-1, 2 * n2))
    stacked = np.block([[first.real, first.imag], [-first.imag, first.real]])
    x = tf.reshape(tf.matmul(x, _real(stacked)), (-1, n1, 2 * n2))
    x, y = _rotated(x[..., :n2], x[..., n2:], turn)
    x = tf.reshape(tf.transpose(tf.concat([x, y], 1), (0, 2, 1)), (-1, 2 * n1))
    x = tf.matmul(x, _real(np.vstack([second.real, -second.imag])))
    return tf.reshape(tf.transpose(tf.reshape(x, (-1, n2, n1)), (0, 2, 1)), (-1, n_fft))


def cut_frames(signal, n_fft, hop):
    """Cut `(batch, channels, samples)` into overlapping frames `(batch, channels, frames, n_fft)`."""
    batch, channels, samples = signal.shape
    frames = 1 + (samples - n_fft) // hop
    spanned = -(-n_fft // hop)
    blocks = frames + spanned - 1
    signal = tf.pad(signal, [[0, 0], [0, 0], [0, max(0, blocks * hop - samples)]])
    signal = tf.reshape(signal[..., : blocks * hop], (batch, channels, blocks, hop))
    return tf.concat([signal[:, :, j : j + frames] for j in range(spanned)], -1)[..., :n_fft]


def add_frames(frames, hop, window):
    """Add overlapping windowed frames up, and divide by the sum of the squared windows there.

    Args:
        frames: tensor `(batch, channels, frames, n_fft)`.
        hop: samples from frame to frame.
        window: the window, `(n_fft,)`.

    Returns:
        Tensor `(batch, channels, samples)`.
    """
    batch, channels, count, n_fft = frames.shape
    spanned = -(-n_fft // hop)
    blocks = count + spanned - 1
    frames = tf.pad(frames, [[0, 0], [0, 0], [0, 0], [0, spanned * hop - n_fft]])
    frames = tf.reshape(frames, (batch * channels, count, spanned, hop))
    total = sum(
        tf.pad(frames[:, :, j], [[0, 0], [j, spanned - 1 - j], [0, 0]]) for j in range(spanned)
    )
    squares = np.zeros((spanned, hop))
    squares.reshape(-1)[:n_fft] = np.square(window, dtype="float64")
    weights = sum(
        np.pad(squares[j : j + 1].repeat(count, 0), ((j, spanned - 1 - j), (0, 0)))
        for j in range(spanned)
    )
    weights = _real(1 / np.maximum(weights, 1e-10))
    edge = spanned - 1
    if count > 2 * edge:
        # All rows but those at the ends are the same: one of them does, and the file stays small.
        parts = [(slice(0, edge), slice(0, edge))] if edge else []
        parts += [(slice(edge, count), slice(edge, edge + 1))]
        parts += [(slice(count, blocks), slice(count, blocks))] if edge else []
        total = tf.concat([total[:, rows] * weights[kept] for rows, kept in parts], 1)
    else:
        total = total * weights
    return tf.reshape(total, (batch, channels, blocks * hop))[..., : (count - 1) * hop + n_fft]


def _roots(rows, columns, n):
    """Powers `exp(-2 pi i r c / n)` of a root of unity; the exponent is reduced for precision."""
    return np.exp(-2j * np.pi * (np.outer(np.arange(rows), np.arange(columns)) % n) / n)


def _rotated(real, imag, turn):
    """Multiply complex numbers, given as two tensors, with constants."""
    cosine, sine = _real(turn.real), _real(turn.imag)
    return real * cosine - imag * sine, real * sine + imag * cosine


def _real(array):
    return np.ascontiguousarray(array, "float32")
