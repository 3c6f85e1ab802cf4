"""STFT and inverse as small real matrix products, with the results of `kerasep.ops.stft`.

TFLite has neither an inverse FFT nor complex multiplication. A transform of length `n1 * n2` is
two transforms, of lengths `n1` and `n2`, with a rotation between them (Cooley and Tukey 1965). Each
is a product with a small matrix: the weights take 0.1 MB instead of the 67 MB of one full matrix.
"""

import itertools
import math

import numpy as np
import tensorflow as tf

from kerasep import ops
from kerasep.ops.wiener import EPSILON

# Bytes that a transform works on at once, and the most tiles it is repeated for: data that leaves
# the processor's cache between two operations costs twice the time.
_TILE, _MOST_TILES = 2**19, 10


def magnitude_form(layer):
    """Return a replacement for `Magnitude.call` without the operations that guard gradients."""
    return _magnitude


def wiener_filter_form(layer):
    """Return a replacement for `WienerFilter.call`, or None for a layer that iterates."""
    if layer.iterations:
        return None

    def call(spectrum, source_magnitudes):
        mask = source_magnitudes / tf.maximum(_magnitude(spectrum), EPSILON)[..., None]
        # Runtimes of 2024, such as the newest stable one for iOS, reject the slices that
        # [..., None] becomes in six dimensions.
        return tf.expand_dims(mask, -1) * tf.expand_dims(spectrum, -2)

    return call


def _magnitude(spectrum):
    return tf.sqrt(tf.reduce_sum(tf.square(spectrum), -1))


def stft_form(layer):
    """Return a replacement for `STFT.call`, for waveforms of fixed shape."""
    n_fft, hop = layer.n_fft, layer.hop
    window = ops.window(layer.window, n_fft)

    def call(waveform):
        batch, samples, channels = waveform.shape
        x = tf.transpose(waveform, (2, 0, 1))
        if layer.fill and not layer.center:
            x = ops.pad_to_frames(x, n_fft, hop)
        if layer.center:
            margin = n_fft // 2
            missing = ops.filled_length(samples, n_fft, hop) - samples
            x = tf.pad(x, [[0, 0], [0, 0], [0, missing]]) if missing else x
            x = tf.pad(x, [[0, 0], [0, 0], [margin, margin]], mode="REFLECT")
        frames = cut_frames(x, n_fft, hop) * window
        count = frames.shape[-2]
        spectrum = rfft(tf.reshape(frames, (channels, batch * count, n_fft)))
        spectrum = tf.transpose(spectrum, (1, 4, 2, 0, 3))
        spectrum = tf.reshape(spectrum, (batch, count, -1, channels, 2))
        return spectrum[:, :, : n_fft // 2 + 1]

    return call


def inverse_fft_form(layer):
    """Return a replacement for `InverseFFT.call`, for spectra of fixed shape."""

    def call(spectrum):
        batch, count, bins, channels, _ = spectrum.shape
        frames = irfft(tf.reshape(spectrum, (batch * count, bins, channels, 2)), layer.n_fft)
        frames = tf.reshape(frames, (channels, batch, count, layer.n_fft))
        return tf.transpose(frames, (1, 2, 3, 0))

    return call


def inverse_stft_form(layer):
    """Return a replacement for `InverseSTFT.call`, for spectra of fixed shape."""
    n_fft, hop = layer.n_fft, layer.hop
    window = ops.window(layer.window, n_fft)

    def call(spectrum, like=None):
        batch, count, bins, channels, _ = spectrum.shape
        rows = tf.reshape(spectrum, (batch * count, bins, channels, 2))
        frames = tf.reshape(irfft(rows, n_fft) * window, (channels * batch, count, n_fft))
        signal = add_frames(frames, hop, window, layer.least)
        start = n_fft // 2 if layer.center else 0
        length = (count - 1) * hop + (0 if layer.center else n_fft)
        if like is not None:
            length = like.shape[1]
        signal = tf.reshape(signal[:, start : start + length], (channels, batch, -1))
        return tf.transpose(signal, (1, 2, 0))

    return call


def factors(n_fft):
    """Split a transform's length into the two most equal factors, the larger one first."""
    small = max(n for n in range(1, math.isqrt(n_fft) + 1) if n_fft % n == 0)
    return n_fft // small, small


def rfft(frames):
    """Transform real frames `(channels, rows, n_fft)` to `(channels, rows, n1, 2, n2 // 2 + 1)`."""
    # Bin `k1 + n1 k2` is at `[:, :, k1, :, k2]`, its real and imaginary part on the axis between.
    # With `n = n2 i + j` and `k = k1 + n1 k2`, the sum over `i` is a transform of length `n1` for
    # each `j`. After a rotation by `j k1`, the sum over `j` is a transform of length `n2`.
    channels, rows, n_fft = frames.shape
    n1, n2 = factors(n_fft)
    half = n2 // 2 + 1
    first, second = _roots(n1, n1, n1), _roots(n2, half, n2)
    turn = _roots(n2, n1, n_fft)

    def transform(x):
        x = tf.transpose(tf.reshape(x, (-1, n1, n2)), (0, 2, 1))
        x = tf.reshape(x, (-1, n1))
        real, imag = tf.matmul(x, _real(first.real)), tf.matmul(x, _real(first.imag))
        real, imag = _turned(real, imag, turn)
        x = tf.matmul(real, _real(np.hstack([second.real, second.imag])))
        x += tf.matmul(imag, _real(np.hstack([-second.imag, second.real])))
        return tf.reshape(x, (-1, n1, 2, half))

    x = _in_tiles(transform, tf.reshape(frames, (-1, n_fft)), 0, 4 * n_fft)
    return tf.reshape(x, (channels, rows, n1, 2, half))


def irfft(spectrum, n_fft):
    """Invert `rfft`, from `(rows, n_fft / 2 + 1, channels, 2)` to `(channels, rows, n_fft)`."""
    # A real signal is the real part of the sum over the bins up to half the rate, where those
    # between the first and the last count twice: the other bins are not needed.
    _, bins, channels, _ = spectrum.shape
    n1, n2 = factors(n_fft)
    half = n2 // 2 + 1
    first = _roots(half, n2, n2).conj()
    second = 2 / n_fft * _roots(n1, n1, n1).conj()
    turn = _roots(n1, n2, n_fft).conj()
    filling = [[0, 0], [0, half * n1 - bins], [0, 0], [0, 0]]

    def invert(x):
        ends = x[:, :1] * 0.5, tf.pad(x[:, -1:] * 0.5, filling)
        x = tf.concat([ends[0], x[:, 1:-1], ends[1]], 1)
        x = tf.transpose(tf.reshape(x, (-1, half, n1, channels, 2)), (3, 0, 2, 4, 1))
        x = tf.reshape(x, (-1, 2 * half))
        real = tf.matmul(x, _real(np.vstack([first.real, -first.imag])))
        imag = tf.matmul(x, _real(np.vstack([first.imag, first.real])))
        real, imag = _turned(real, imag, turn)
        x = tf.matmul(real, _real(second.real)) + tf.matmul(imag, _real(-second.imag))
        x = tf.transpose(tf.reshape(x, (-1, n2, n1)), (0, 2, 1))
        return tf.reshape(x, (channels, -1, n_fft))

    return _in_tiles(invert, spectrum, 1, 4 * channels * n_fft)


def cut_frames(signal, n_fft, hop):
    """Cut `(channels, batch, samples)` into frames: `(channels, batch, frames, n_fft)`."""
    channels, batch, samples = signal.shape
    frames = 1 + (samples - n_fft) // hop
    spanned = -(-n_fft // hop)
    blocks = frames + spanned - 1
    signal = tf.pad(signal, [[0, 0], [0, 0], [0, max(0, blocks * hop - samples)]])
    signal = tf.reshape(signal[..., : blocks * hop], (channels, batch, blocks, hop))
    return tf.concat([signal[:, :, j : j + frames] for j in range(spanned)], -1)[..., :n_fft]


def add_frames(frames, hop, window, least=1e-10):
    """Overlap-add windowed frames `(rows, frames, n_fft)`, normalised by the squared windows."""
    rows, count, n_fft = frames.shape
    spanned = -(-n_fft // hop)
    blocks = count + spanned - 1
    frames = tf.pad(frames, [[0, 0], [0, 0], [0, spanned * hop - n_fft]])
    total = tf.reshape(ops.overlap_add(frames, hop), (rows, blocks, hop))
    weights = np.zeros(blocks * hop)
    for start in range(0, count * hop, hop):
        weights[start : start + n_fft] += np.square(window, dtype="float64")
    weights = weights.reshape(blocks, hop)
    weights = _real(1 / np.maximum(weights, least))
    edge = spanned - 1
    if count > 2 * edge:
        # All rows but those at the ends are equal: storing one of them keeps the file small.
        parts = [(slice(0, edge), slice(0, edge))] if edge else []
        parts += [(slice(edge, count), slice(edge, edge + 1))]
        parts += [(slice(count, blocks), slice(count, blocks))] if edge else []
        total = tf.concat([total[:, rows] * weights[kept] for rows, kept in parts], 1)
    else:
        total = total * weights
    return tf.reshape(total, (rows, blocks * hop))[:, : (count - 1) * hop + n_fft]


def _roots(rows, columns, n):
    """Compute `exp(-2 pi i r c / n)`, with the exponent reduced modulo n for precision."""
    return np.exp(-2j * np.pi * (np.outer(np.arange(rows), np.arange(columns)) % n) / n)


def _turned(real, imag, turn):
    """Multiply complex rows `(a, b)` by constants `turn`, and transpose each: `(rows * b, a)`."""
    rows, columns = turn.shape
    real, imag = (tf.reshape(part, (-1, rows, columns)) for part in (real, imag))
    cosine, sine = _real(turn.real), _real(turn.imag)
    turned = real * cosine - imag * sine, real * sine + imag * cosine
    return tuple(tf.reshape(tf.transpose(part, (0, 2, 1)), (-1, rows)) for part in turned)


def _in_tiles(function, x, axis, size):
    """Apply a function, which moves rows of `size` bytes to `axis`, to parts that fit the cache."""
    rows = x.shape[0]
    tiles = min(rows, _MOST_TILES, -(-rows * size // _TILE))
    bounds = np.linspace(0, rows, tiles + 1).astype(int)
    parts = [function(x[a:b]) for a, b in itertools.pairwise(bounds)]
    return tf.concat(parts, axis) if tiles > 1 else parts[0]


def _real(array):
    return np.ascontiguousarray(array, "float32")
