"""The loops of LSTM and GRU over frames, with custom gradients."""

from keras import ops

from kerasep.system.types import Tensor


def lstm(
    projected: Tensor, recurrent_kernel: Tensor, h: Tensor, c: Tensor, memory: bool = False
) -> Tensor:
    """Compute the outputs of an LSTM from the projection of its inputs.

    The usual gradient of a loop adds up the gradient of the kernel at every frame. For small
    batches that matrix is far larger than the rest of the step. Here the backward loop carries only
    the gradients of the states, and one product over all frames gives the kernel's gradient.

    Args:
        projected: inputs times kernel plus bias, `(frames, batch, 4 * units)`, with the gates in
            the order input, forget, cell, output.
        recurrent_kernel: tensor `(units, 4 * units)`. Pass a variable through `keras.ops.copy`.
        h: output before the first frame, `(batch, units)`.
        c: memory before the first frame, `(batch, units)`.
        memory: whether to append each frame's memory to its output. Defaults to False.

    Returns:
        Tensor `(frames, batch, units)`, or `(frames, batch, 2 * units)` with `memory`.

    Example:
    >>> import numpy as np
    >>> state = np.zeros((2, 3), "float32")
    >>> projected = np.ones((5, 2, 12), "float32")
    >>> outputs = lstm(projected, np.ones((3, 12), "float32"), state, state)
    >>> [round(float(value), 2) for value in outputs[0, 0]]
    [0.37, 0.37, 0.37]

    Reference:
        Hochreiter and Schmidhuber 1997, "Long short-term memory".
    """
    units = recurrent_kernel.shape[0]

    # One result, since Keras on PyTorch does not support the gradient of several. TensorFlow wants
    # the results of a scan in the shapes of its states, so what is kept of a frame is a state too.
    @ops.custom_gradient
    def run(projected, kernel, h, c):
        def forwards(states, row):
            h, c, _ = states
            z = row + ops.matmul(h, kernel)
            i, f, g, o = ops.split(z, 4, axis=-1)
            c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
            states = ops.sigmoid(o) * ops.tanh(c), c, z
            return states, states

        _, (hs, cs, zs) = ops.scan(forwards, (h, c, ops.tile(h, (1, 4))), projected)

        def grad(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            i, f, g, o = ops.split(zs, 4, axis=-1)
            i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
            before = ops.concatenate([c[None], cs[:-1]])
            tanh = ops.tanh(cs)
            # Three gates multiply the gradient of the memory by these, the last that of the output.
            by_gate = [g * i * (1 - i), before * f * (1 - f), i * (1 - g * g), tanh * o * (1 - o)]
            to_memory = o * (1 - tanh * tanh)
            # One tensor, since TensorFlow's scan takes several only of a known number of frames.
            frames = ops.concatenate([*by_gate, to_memory, f, upstream], axis=-1)
            ends = [4 * units, 5 * units, 6 * units]
            transposed = ops.transpose(kernel)

            def backwards(states, frame):
                dh, dc, _ = states
                by_gate, to_memory, f, upstream = ops.split(frame, ends, axis=-1)
                dh = dh + upstream[:, :units]
                dc = dc + dh * to_memory
                if memory:
                    dc = dc + upstream[:, units:]
                dz = ops.concatenate([dc, dc, dc, dh], axis=-1) * by_gate
                states = ops.matmul(dz, transposed), dc * f, dz
                return states, states

            zero = ops.zeros_like(h)
            start = (zero, zero, ops.tile(zero, (1, 4)))
            (dh, dc, _), (_, _, dz) = ops.scan(backwards, start, frames, reverse=True)
            before = ops.reshape(ops.concatenate([h[None], hs[:-1]]), (-1, units))
            dkernel = ops.matmul(ops.transpose(before), ops.reshape(dz, (-1, 4 * units)))
            return dz, dkernel, dh, dc

        return ops.concatenate([hs, cs], axis=-1) if memory else hs, grad

    return run(projected, recurrent_kernel, h, c)


def gru(projected: Tensor, recurrent_kernel: Tensor, recurrent_bias: Tensor, h: Tensor) -> Tensor:
    """Compute the outputs of a GRU from the projection of its inputs.

    The reset gate multiplies the projected memory, as in cuDNN. As in `lstm`, the backward loop
    carries only the gradients of the states.

    Args:
        projected: inputs times kernel plus bias, `(frames, batch, 3 * units)`, with the update
            gate, the reset gate and the new values in this order.
        recurrent_kernel: tensor `(units, 3 * units)`. Pass a variable through `keras.ops.copy`.
        recurrent_bias: tensor `(3 * units,)`.
        h: output before the first frame, `(batch, units)`.

    Returns:
        Tensor `(frames, batch, units)`.

    Example:
    >>> import numpy as np
    >>> state = np.zeros((2, 3), "float32")
    >>> projected = np.ones((5, 2, 9), "float32")
    >>> outputs = gru(projected, np.ones((3, 9), "float32"), np.zeros(9, "float32"), state)
    >>> [round(float(value), 2) for value in outputs[0, 0]]
    [0.2, 0.2, 0.2]

    Reference:
        Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder for statistical
        machine translation".
    """
    units = recurrent_kernel.shape[0]
    ends = [units, 2 * units]

    def cell(row, memory):
        """Return update gates, reset gates and new values."""
        parts = zip(ops.split(row, ends, axis=-1), ops.split(memory, ends, axis=-1), strict=True)
        (z, z_memory), (r, r_memory), (n, n_memory) = parts
        r = ops.sigmoid(r + r_memory)
        return ops.sigmoid(z + z_memory), r, ops.tanh(n + r * n_memory)

    # As above: one result, and what is kept of a frame is a state too.
    @ops.custom_gradient
    def run(projected, kernel, bias, h):
        def forwards(states, row):
            h, _ = states
            memory = ops.matmul(h, kernel) + bias
            update, _, new = cell(row, memory)
            states = new + update * (h - new), memory
            return states, states

        _, (hs, memories) = ops.scan(forwards, (h, ops.tile(h, (1, 3))), projected)

        def grad(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            update, reset, new = cell(projected, memories)
            before = ops.concatenate([h[None], hs[:-1]])
            # These multiply the gradient of the output.
            to_new = (1 - update) * (1 - new * new)
            to_update = (before - new) * update * (1 - update)
            to_reset = to_new * memories[..., 2 * units :] * reset * (1 - reset)
            to_memory = [to_update, to_reset, to_new * reset]
            frames = ops.concatenate([*to_memory, update, upstream], axis=-1)
            transposed = ops.transpose(kernel)

            def backwards(states, frame):
                to_memory, update, upstream = ops.split(frame, [3 * units, 4 * units], axis=-1)
                total = states[0] + upstream
                dmemory = ops.tile(total, (1, 3)) * to_memory
                states = total * update + ops.matmul(dmemory, transposed), total, dmemory
                return states, states

            zero = ops.zeros_like(h)
            start = (zero, zero, ops.tile(zero, (1, 3)))
            (dh, _, _), (_, total, dmemory) = ops.scan(backwards, start, frames, reverse=True)
            dprojected = ops.concatenate([dmemory[..., : 2 * units], total * to_new], axis=-1)
            flat = ops.reshape(dmemory, (-1, 3 * units))
            dkernel = ops.matmul(ops.transpose(ops.reshape(before, (-1, units))), flat)
            return dprojected, dkernel, ops.sum(flat, axis=0), dh

        return hs, grad

    return run(projected, recurrent_kernel, recurrent_bias, h)
