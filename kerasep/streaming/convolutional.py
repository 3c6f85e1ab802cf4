"""Streaming forms of causal convolutions over frames and of cumulative normalisation."""

from keras import ops

from kerasep.layers import CumulativeLayerNormalization
from kerasep.streaming.walk import Signal, raise_cannot_stream


def temporal_conv_net(walk, layer, x):
    """Run the stack of dilated convolutions, each with the past frames that it reaches."""
    if not layer.causal:
        raise_cannot_stream(layer, "has convolutions that look ahead")
    lag = x.lag
    valid = walk.valid(lag)
    x = layer.input_conv(_norm(walk, layer.input_norm, x.tensor, valid))
    total = 0
    for block in layer.stack:
        y = _norm(walk, block.norms[0], block.prelus[0](block.conv(x)), valid)
        # Before the start are zeros of the padding, not the layers' output for silence.
        y = walk.past(y * valid[..., None], block.ahead)
        y = _norm(walk, block.norms[1], block.prelus[1](block.depthwise(y)), valid)
        if block.residual is not None:
            x = x + block.residual(y)
        if block.skip is not None:
            total = total + block.skip(y)
    return Signal(total if layer.skip else x, lag)


def cumulative_norm(walk, layer, x):
    """Normalise by all frames so far."""
    return Signal(_cumulative(walk, layer, x.tensor, walk.valid(x.lag)), x.lag)


def _norm(walk, layer, x, valid):
    if isinstance(layer, CumulativeLayerNormalization):
        return _cumulative(walk, layer, x, valid)
    return layer(x)


def _cumulative(walk, layer, x, valid):
    """Compute `CumulativeLayerNormalization` with sums over the valid frames alone."""
    x = ops.cast(x, "float32")
    features = tuple(range(2, len(x.shape)))

    def aligned(values):
        return ops.expand_dims(values, features)

    seen, start, old_variance = ops.split(walk.recall((1, 3)), 3, axis=1)
    x = x - aligned(start)  # relative to the mean so far, numbers stay small
    frame_mean = ops.mean(x, axis=features)
    frame_variance = ops.mean(ops.square(x - aligned(frame_mean)), axis=features)
    count = seen + ops.cumsum(valid, axis=1)
    safe = ops.maximum(count, 1.0)
    mean = ops.cumsum(frame_mean * valid, axis=1) / safe
    between = ops.square(frame_mean - mean) * (safe / ops.maximum(count - 1, 1.0))
    inside = ops.cumsum((frame_variance + between) * valid, axis=1)
    variance = (seen * old_variance + inside) / safe
    last = count[:, -1:], start + mean[:, -1:], variance[:, -1:]
    walk.keep(ops.concatenate(last, axis=1))
    x = (x - aligned(mean)) / ops.sqrt(aligned(variance) + layer.epsilon)
    x = x * ops.cast(layer.gamma, "float32") + ops.cast(layer.beta, "float32")
    return ops.cast(x, layer.compute_dtype)
