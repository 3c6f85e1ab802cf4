"""`Conv1DTranspose` as one matrix product and an overlap-add, which TFLite runs far faster."""

import tensorflow as tf

from kerasep import ops


def conv1d_transpose_form(layer):
    """Return a replacement for a transposed convolution's `call`.

    Every sample times the kernel is a frame of `kernel_size` samples; frames overlap by a stride
    less than their length and add up.

    Args:
        layer: a built `keras.layers.Conv1DTranspose`.

    Returns:
        A function with the arguments and results of `layer.call`, or None for a layer with settings
        that have no such form (dilation, an output padding, a stride beyond the kernel, channels
        first). Shapes that are not fixed go to the layer's own `call`.
    """
    size, stride = layer.kernel_size[0], layer.strides[0]
    plain = (
        layer.data_format == "channels_last"
        and layer.dilation_rate == (1,)
        and layer.output_padding is None
        and stride <= size
    )
    if not plain:
        return None
    original = layer.call

    def call(inputs):
        if None in inputs.shape:
            return original(inputs)
        batch, samples, features = inputs.shape
        # Keras has (kernel, out, in).
        kernel = tf.transpose(tf.convert_to_tensor(layer.kernel), (2, 0, 1))
        frames = tf.matmul(inputs, tf.reshape(kernel, (features, size * layer.filters)))
        added = ops.overlap_add(frames, stride * layer.filters)
        outputs = tf.reshape(added, (batch, (samples - 1) * stride + size, layer.filters))
        if layer.padding == "same":
            start = (size - stride) // 2
            outputs = outputs[:, start : start + samples * stride]
        if layer.use_bias:
            outputs += layer.bias
        return outputs if layer.activation is None else layer.activation(outputs)

    return call
