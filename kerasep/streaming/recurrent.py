"""Streaming form of recurrent layers, which keep their state from block to block."""

from keras import ops

from kerasep.streaming.walk import Signal, raise_cannot_stream


def recurrent_stack(walk, layer, x, state=None, training=None):
    """Run a stack over the frames of the block, from its kept state on."""
    if layer.bidirectional:
        raise_cannot_stream(layer, "runs backwards in time")
    return Signal(run_stack(walk, layer, x.tensor, walk.valid(x.lag)), x.lag)


def run_stack(walk, stack, x, valid):
    """Run a forward stack over `(rows, frames, features)`; invalid frames have no effect."""
    inputs = x = ops.cast(x, "float32")
    for layer in stack.cells:
        before = x
        x = _lstm(walk, layer, x, valid) if stack.cell == "lstm" else _gru(walk, layer, x, valid)
        if stack.residual and x.shape[-1] == before.shape[-1]:
            x = x + before
    if stack.skip:
        x = ops.concatenate([inputs, x], axis=-1)
    return ops.cast(x, stack.compute_dtype)


def _lstm(walk, layer, x, valid):
    cell, (rows, frames, _) = layer.cell, x.shape
    h, c = (walk.recall((rows, cell.units)) for _ in range(2))
    projected = ops.matmul(x, cell.kernel) + cell.bias
    outputs = []
    for frame in range(frames):
        i, f, g, o = ops.split(
            projected[:, frame] + ops.matmul(h, cell.recurrent_kernel), 4, axis=-1
        )
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        c = c * valid[:, frame : frame + 1]
        h = ops.sigmoid(o) * ops.tanh(c)
        outputs.append(h)
    walk.keep(h)
    walk.keep(c)
    return ops.stack(outputs, axis=1)


def _gru(walk, layer, x, valid):
    rows, frames, _ = x.shape
    h = walk.recall((rows, layer.units))
    outputs = []
    for frame in range(frames):
        h, _ = layer.cell(x[:, frame], [h])
        h = h * valid[:, frame : frame + 1]
        outputs.append(h)
    walk.keep(h)
    return ops.stack(outputs, axis=1)
