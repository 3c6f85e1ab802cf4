"""Streaming forms of causal layers over frames and bands."""

import functools

from keras import ops

from kerasep.streaming.walk import Signal


def causal_conv_2d(walk, layer, x):
    """Convolve with the past frames that the kernel reaches."""
    if not layer.past:
        return walk.plain(layer, x)
    # Before the start are zeros of the padding, not the input that silence gives.
    frames = x.tensor * walk.valid(x.lag)[..., None, None]
    return Signal(layer.convolve(walk.past(frames, layer.past)), x.lag)


def grouped_gru(walk, layer, x):
    """Run over frames from the kept state on, or over the bands of each frame."""
    return Signal(_run(walk, layer, x.tensor, walk.valid(x.lag)), x.lag)


def temporal_attention(walk, layer, x):
    """Compute the gates from the energy so far."""
    energy = layer.energy(x.tensor)
    return Signal(layer.gate(_run(walk, layer.recurrent, energy, walk.valid(x.lag))), x.lag)


def frequency_attention(walk, layer, x):
    """Compute the gates of each frame."""
    outputs = layer.recurrent.run(layer.energy(x.tensor), _steps)
    return Signal(layer.gates(outputs, x.tensor.shape[2]), x.lag)


def _run(walk, layer, x, valid):
    """Run over `(1, frames, bands, channels)`, step by step; invalid frames have no effect."""
    if layer.over == "bands":
        return layer.run(x, _steps)
    return layer.run(x, functools.partial(_kept_steps, walk, valid))


def _kept_steps(walk, valid, projected, kernel, bias, start):
    """Run from the kept state on, and keep the last one."""
    outputs = _steps(projected, kernel, bias, walk.recall(start.shape), valid)
    walk.keep(outputs[-1])
    return outputs


def _steps(projected, kernel, bias, state, valid=None):
    """Compute `kerasep.ops.gru` without a loop, with one small product per step."""
    # Of update and reset gates, and of the new values. Two products are faster than one and a
    # split: XNNPACK has no kernel for an uneven one.
    parts = [2 * state.shape[-1]]
    kernels, biases = (ops.split(part, parts, axis=-1) for part in (kernel, bias))
    gates, new = ops.split(projected, parts, axis=-1)
    rows = zip(ops.unstack(gates + biases[0], axis=0), ops.unstack(new, axis=0), strict=True)
    outputs = []
    for step, (gates_in, new_in) in enumerate(rows):
        gates = ops.sigmoid(gates_in + ops.matmul(state, kernels[0]))
        update, reset = ops.split(gates, 2, axis=-1)
        new = ops.tanh(new_in + reset * (ops.matmul(state, kernels[1]) + biases[1]))
        state = new + update * (state - new)
        if valid is not None:
            state = state * valid[:, step : step + 1]
        outputs.append(state)
    return ops.stack(outputs, axis=0)
