"""Fourier transforms of features along frames, as products with real matrices."""

import numpy as np
import tensorflow as tf


def feature_fft_form(layer):
    """Return a replacement for `FeatureFFT.call`, for a fixed number of frames."""

    def call(x):
        _, frames, bands, features = x.shape
        turns = np.outer(np.arange(frames // 2 + 1), np.arange(frames)) % frames
        roots = np.exp(-2j * np.pi * turns / frames) / np.sqrt(frames)
        rows = tf.reshape(x, (-1, frames, bands * features))
        parts = (tf.matmul(_real(part), rows) for part in (roots.real, roots.imag))
        return tf.concat(
            [tf.reshape(part, (-1, len(turns), bands, features)) for part in parts], -1
        )

    return call


def inverse_feature_fft_form(layer):
    """Return a replacement for `InverseFeatureFFT.call`, for a fixed number of frequencies."""

    def call(x):
        _, frequencies, bands, size = x.shape
        frames = 2 * (frequencies - 1)
        turns = np.outer(np.arange(frames), np.arange(frequencies)) % frames
        # All frequencies but the first and the last stand for two of the complex transform.
        counts = np.minimum(1 + np.minimum(np.arange(frequencies), np.arange(frequencies)[::-1]), 2)
        roots = np.exp(2j * np.pi * turns / frames) * counts / np.sqrt(frames)
        real, imag = (
            tf.reshape(part, (-1, frequencies, bands * size // 2)) for part in tf.split(x, 2, -1)
        )
        y = tf.matmul(_real(roots.real), real) - tf.matmul(_real(roots.imag), imag)
        return tf.reshape(y, (-1, frames, bands, size // 2))

    return call


def _real(array):
    return np.ascontiguousarray(array, "float32")[None]
