"""Encoder and decoder levels of hybrid Demucs, over the bins of spectra or over samples."""

from keras import layers as kl
from keras import ops

from kerasep.layers import Conv1DTranspose, Conv2DTranspose, Crop, DilatedResidual, StepPad
from kerasep.layers.rescaled_uniform import rescaled_uniform

# Of all strided convolutions.
KERNEL, STRIDE = 8, 4
MARGIN = (KERNEL - STRIDE) // 2
# Of the residual branches, and of the convolution of a decoder level.
DILATIONS, CONTEXT = (1, 2), 3


def encode(x, width, compression, name):
    """Encode `(batch, bins, frames, features)` or `(batch, samples, features)` to a quarter."""
    start = rescaled_uniform(KERNEL * x.shape[-1])
    if len(x.shape) == 4:
        x = kl.ZeroPadding2D(((MARGIN, MARGIN), (0, 0)), name=f"{name}_pad")(x)
        conv = kl.Conv2D(width, (KERNEL, 1), (STRIDE, 1), name=f"{name}_conv", **start)
    else:
        x = StepPad(STRIDE, MARGIN, name=f"{name}_pad")(x)
        conv = kl.Conv1D(width, KERNEL, STRIDE, name=f"{name}_conv", **start)
    x = kl.Activation("gelu", name=f"{name}_gelu")(conv(x))
    x = _branches(x, compression, name)
    dense = kl.Dense(2 * width, name=f"{name}_rewrite", **rescaled_uniform(width))
    return _gated(dense(x), name)


def decode(x, skip, width, compression, name, last, like=None):
    """Undo a level of `encode`, to as many samples as `like`; no activation at the last level."""
    x = kl.Add(name=f"{name}_join")([x, skip])
    features, axes = x.shape[-1], len(x.shape) - 2
    convolution = (kl.Conv1D, kl.Conv2D)[axes - 1]
    start = rescaled_uniform(features * CONTEXT**axes)
    rewrite = convolution(2 * features, CONTEXT, padding="same", name=f"{name}_rewrite", **start)
    x = _gated(rewrite(x), name)
    x = _branches(x, compression, name)
    start = rescaled_uniform(KERNEL * width)
    if axes == 2:
        up = Conv2DTranspose(width, (KERNEL, 1), (STRIDE, 1), name=f"{name}_conv", **start)
        x = up(x)[:, MARGIN:-MARGIN]
    else:
        up = Conv1DTranspose(width, KERNEL, STRIDE, name=f"{name}_conv", **start)
        x = Crop(MARGIN, name=f"{name}_crop")(up(x), like)
    return x if last else kl.Activation("gelu", name=f"{name}_gelu")(x)


def _branches(x, compression, name):
    for index, dilation in enumerate(DILATIONS):
        x = DilatedResidual(dilation, compression, name=f"{name}_branch_{index}")(x)
    return x


def _gated(x, name):
    """Apply a gated linear unit: half of the features times the sigmoid of the other half."""
    x, gate = ops.split(x, 2, axis=-1)
    gate = kl.Activation("sigmoid", name=f"{name}_sigmoid")(gate)
    return kl.Multiply(name=f"{name}_gate")([x, gate])
