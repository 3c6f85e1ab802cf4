"""`Conv1DTranspose` as a plain convolution that gives a whole stride of samples at once."""

from kerasep.ops import subpixel_conv_transpose


def conv1d_transpose_form(layer):
    """Return a replacement for a transposed convolution's `call`.

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
        y = subpixel_conv_transpose(inputs, layer.kernel, layer.strides, layer.padding)
        if layer.use_bias:
            y += layer.bias
        return layer.activation(y)

    return call
