"""`kerasep.ops.stft` by TensorFlow's operations, for tf.data: Keras may run on JAX or PyTorch."""

import functools

import tensorflow as tf

from kerasep.ops.stft import Primitives
from kerasep.ops.stft import stft as stft_of


def _shape(x):
    """Return the sizes of a tensor: integers where they are known."""
    return [tf.shape(x)[axis] if size is None else size for axis, size in enumerate(x.shape)]


def _transform(frames, weights):
    spectrum = tf.transpose(tf.signal.rfft(frames * weights), (0, 2, 3, 1))
    # The same bytes seen as pairs: taking the parts and stacking them costs as much as the rest.
    return tf.bitcast(spectrum, tf.float32)


stft = functools.partial(
    stft_of,
    primitives=Primitives(tf.cast, tf.signal.frame, tf.pad, _shape, _transform, tf.transpose),
)
