"""The short-time Fourier transform in TensorFlow, for tf.data: `keras.ops` may be jax or torch."""

import tensorflow as tf

from kerasep.errors import InputError
from kerasep.ops.stft import check_transform, filled_length
from kerasep.ops.stft import window as window_values


def stft(waveform, n_fft, hop, window="hann", center=True):
    """Short-time Fourier transform, equal to `kerasep.ops.stft`.

    Args:
        waveform: Float tensor `(batch, samples, channels)`.
        n_fft: Samples in a frame, and the length of its transform.
        hop: Samples from frame to frame.
        window: A name that `kerasep.ops` knows. Defaults to "hann".
        center: Whether frame `t` is centred on sample `t * hop` of the waveform, which is filled up
            to whole hops where the hop is above half a frame, and reflected at its ends. Defaults
            to True.

    Returns:
        Spectrum `(batch, frames, n_fft // 2 + 1, channels, 2)`, float32: real and imaginary part.

    Raises:
        InputError: The waveform is too short to be reflected, or shorter than a frame; or the
            transform has no inverse.

    Example:
    ```python
    import tensorflow as tf
    from kerasep.data import spectra

    assert spectra.stft(tf.zeros((1, 16000, 2)), 1024, 256).shape == (1, 63, 513, 2, 2)
    ```
    """
    check_transform(n_fft, hop)
    samples = waveform.shape[1]
    if samples is None:
        samples = tf.shape(waveform)[1]
    missing = filled_length(samples, n_fft, hop) - samples if center else 0
    least = n_fft // 2 + 1 if center else n_fft
    if isinstance(samples, int) and samples + missing < least:
        raise InputError(
            f"received {samples} samples for n_fft={n_fft}: expected at least {least}, take longer "
            f"crops"
        )
    x = tf.transpose(tf.cast(waveform, tf.float32), (0, 2, 1))
    if center:
        x = tf.pad(x, ((0, 0), (0, 0), (0, missing)))
        x = tf.pad(x, ((0, 0), (0, 0), (n_fft // 2, n_fft // 2)), "REFLECT")
    frames = tf.signal.frame(x, n_fft, hop) * window_values(window, n_fft)
    spectrum = tf.transpose(tf.signal.rfft(frames), (0, 2, 3, 1))
    # The same bytes seen as pairs: taking the parts and stacking them costs as much as the rest.
    return tf.bitcast(spectrum, tf.float32)
