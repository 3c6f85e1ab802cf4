"""`Conv1DTranspose` as a plain convolution that gives a whole stride of samples at once."""

import tensorflow as tf


def conv1d_transpose_form(layer):
    """Return a replacement for a transposed convolution's `call`.

    A stride of output samples depends on as many input samples as strides reach into the kernel.
    So a convolution of that few taps, with an output for each sample of the stride, computes the
    same with the same number of products; its outputs only need to be laid in a row.

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
        reach = -(-size // stride)
        # Keras has (kernel, out, in); taps that fill up the last stride are zeros.
        kernel = tf.pad(layer.kernel, [[0, reach * stride - size], [0, 0], [0, 0]])
        taps = tf.reshape(kernel, (reach, stride * layer.filters, features))
        taps = tf.transpose(taps[::-1], (0, 2, 1))
        padded = tf.pad(inputs, [[0, 0], [reach - 1, reach - 1], [0, 0]])
        blocks = tf.nn.conv1d(padded, taps, 1, "VALID")
        outputs = tf.reshape(blocks, (batch, (samples + reach - 1) * stride, layer.filters))
        outputs = outputs[:, : (samples - 1) * stride + size]
        if layer.padding == "same":
            start = (size - stride) // 2
            outputs = outputs[:, start : start + samples * stride]
        if layer.use_bias:
            outputs += layer.bias
        return outputs if layer.activation is None else layer.activation(outputs)

    return call
