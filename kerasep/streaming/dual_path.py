"""Streaming form of the dual-path network, one hop of its chunks at a time."""

import numpy as np
from keras import ops

from kerasep.streaming.recurrent import run_stack
from kerasep.streaming.walk import Signal, raise_cannot_stream


def dual_path_net(walk, layer, x):
    """Run over the chunks that end in this block; return the frames that no later one reaches."""
    if layer.norm == "global":
        raise_cannot_stream(layer, "has norms that see all frames")
    if layer.bidirectional:
        raise_cannot_stream(layer, "runs backwards across its chunks")
    chunk, hop = layer.chunk, layer.hop
    # The first chunk is all zeros: it ends where the stream begins, and so does a step's first hop.
    if not walk.align:
        walk.align = hop - x.lag % hop
    x = walk.delayed(x, x.lag + -(x.lag + walk.align) % hop)
    y = layer.input_dense(layer.input_norm(x.tensor))
    y = walk.past(y * walk.valid(x.lag)[..., None], chunk - hop)
    count = walk.frames // hop
    y = ops.stack([y[:, index * hop : index * hop + chunk] for index in range(count)], axis=1)
    ends = ops.convert_to_tensor(np.arange(1, count + 1, dtype="float32")[None] * hop - x.lag)
    valid = ops.clip(walk.begin + ends + 1, 0, 1)
    for within, across in zip(layer.paths[::2], layer.paths[1::2], strict=True):
        y = ops.transpose(within(y), (0, 2, 1, 3))
        y = ops.transpose(_across(walk, across, y, valid), (0, 2, 1, 3))
    y = layer.output_dense(layer.prelu(y))
    total = sum(
        ops.pad(y[:, index], [[0, 0], [index * hop, (count - 1 - index) * hop], [0, 0]])
        for index in range(count)
    )
    return Signal(walk.carry(total, walk.frames), x.lag + chunk - hop)


def _across(walk, path, x, valid):
    """Run one path `(1, rows, chunks, features)` across chunks, from its kept state on."""
    y = path.dense(run_stack(walk, path.lstm, x[0], valid))
    return x + path.norm(y[None])
