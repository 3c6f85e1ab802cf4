"""Framing of signals, and the overlap-add of frames."""

from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def frame(signal: Tensor, frame_length: int, hop: int) -> Tensor:
    """Cut the last axis into overlapping frames.

    There are `1 + (samples - frame_length) // hop` frames. Frames that would reach beyond the end
    are omitted. The frames are made of slices and one concatenation without a gather, which is fast
    on every backend and on phones.

    Args:
        signal: tensor `(..., samples)`.
        frame_length: samples in a frame.
        hop: samples from one frame's start to the next.

    Returns:
        Tensor `(..., frames, frame_length)`.

    Raises:
        InputError: if the signal is shorter than one frame.

    Example:
    >>> import numpy as np
    >>> tuple(frame(np.arange(6.0), 4, 2).shape)
    (2, 4)
    """
    samples = ops.shape(signal)[-1]
    if isinstance(samples, int) and samples < frame_length:
        raise InputError(
            f"received a signal of {samples} samples, expected at least one frame of "
            f"{frame_length}: pad the signal or take a shorter frame"
        )
    frames = 1 + (samples - frame_length) // hop
    blocks_in_frame = -(-frame_length // hop)
    needed = (frames + blocks_in_frame - 1) * hop
    # If the hop does not divide the frame, the last block of a frame may reach beyond the signal.
    signal = _pad_last(signal, 0, blocks_in_frame * hop - frame_length)[..., :needed]
    lead = list(ops.shape(signal)[:-1])
    blocks = ops.reshape(signal, [*lead, frames + blocks_in_frame - 1, hop])
    shifted = [blocks[..., j : j + frames, :] for j in range(blocks_in_frame)]
    return ops.concatenate(shifted, axis=-1)[..., :frame_length]


def overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Sum overlapping frames, as the adjoint of `frame`.

    Args:
        frames: tensor `(..., frames, frame_length)`.
        hop: samples from one frame's start to the next.

    Returns:
        Tensor `(..., (frames - 1) * hop + frame_length)`.

    Example:
    >>> import numpy as np
    >>> float(overlap_add(np.ones((2, 4), "float32"), 2)[2])  # two frames meet here
    2.0
    """
    frame_length = frames.shape[-1]
    count = ops.shape(frames)[-2]
    blocks_in_frame = -(-frame_length // hop)
    frames = _pad_last(frames, 0, blocks_in_frame * hop - frame_length)
    lead = list(ops.shape(frames)[:-2])
    still = [[0, 0]] * len(lead)
    # Split instead of sliced, since TFLite then moves whole hops, several times as fast.
    total = sum(
        ops.pad(block, [*still, [j, blocks_in_frame - 1 - j], [0, 0]])
        for j, block in enumerate(ops.split(frames, blocks_in_frame, axis=-1))
    )
    signal = ops.reshape(total, [*lead, (count + blocks_in_frame - 1) * hop])
    if frame_length % hop:
        signal = signal[..., : (count - 1) * hop + frame_length]
    return signal


def count_frames(samples: int | Tensor, frame_length: int, hop: int) -> int | Tensor:
    """Compute the number of frames that cover every sample, at least one.

    Args:
        samples: number of samples, an integer or an integer tensor.
        frame_length: samples in a frame.
        hop: samples from one frame's start to the next.

    Returns:
        Number of frames, of the same type.

    Example:
    >>> count_frames(100, 16, 8), count_frames(104, 16, 8), count_frames(105, 16, 8)
    (12, 12, 13)
    """
    steps = -(-(samples - frame_length) // hop)
    return 1 + (max(0, steps) if isinstance(samples, int) else ops.maximum(0, steps))


def pad_to_frames(signal: Tensor, frame_length: int, hop: int) -> Tensor:
    """Append zeros to the last axis until frames cover every sample.

    Args:
        signal: tensor `(..., samples)`.
        frame_length: samples in a frame.
        hop: samples from one frame's start to the next.

    Returns:
        Tensor `(..., (frames - 1) * hop + frame_length)` with at least one frame.

    Example:
    >>> import numpy as np
    >>> tuple(pad_to_frames(np.ones(7), 4, 2).shape)
    (8,)
    """
    samples = ops.shape(signal)[-1]
    reach = (count_frames(samples, frame_length, hop) - 1) * hop + frame_length
    return _pad_last(signal, 0, reach - samples)


def fit_length(signal: Tensor, length: int | Tensor, at_least: bool = False) -> Tensor:
    """Crop the last axis to a length, or pad it with zeros.

    Args:
        signal: tensor `(..., samples)`.
        length: samples to return.
        at_least: whether to keep the length of longer signals. Defaults to False.

    Returns:
        Tensor `(..., length)`.

    Example:
    >>> import numpy as np
    >>> np.asarray(fit_length(np.ones(3), 5)).tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    samples = ops.shape(signal)[-1]
    missing = length - samples
    known = isinstance(missing, int)
    if not at_least and not (known and missing >= 0):
        signal = signal[..., :length]
    return _pad_last(signal, 0, max(0, missing) if known else ops.maximum(0, missing))


def _pad_last(x, before, after):
    """Pad the last axis with zeros."""
    if isinstance(after, int) and before == after == 0:
        return x
    return ops.pad(x, [[0, 0]] * (len(x.shape) - 1) + [[before, after]])
