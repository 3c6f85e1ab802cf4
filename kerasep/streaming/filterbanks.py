"""Streaming forms of layers that cut frames out of waveforms or add them up again."""

import numpy as np
from keras import ops

from kerasep.layers import STFT, InverseSTFT
from kerasep.ops import overlap_add, window
from kerasep.streaming.walk import Signal, raise_cannot_stream


def hops_per_frame(layer):
    """Return how many hops a frame of an analysis or synthesis layer spans."""
    return -(-frame_length(layer) // layer.hop)


def frame_length(layer):
    """Return the length of a frame of an analysis or synthesis layer, in samples of its input."""
    return layer.n_fft if hasattr(layer, "n_fft") else layer.kernel_size


def silence_around(walk, layer, waveform):
    """Leave out silence: the past of the first block is silent, and so is the end of a stream."""
    if waveform.lag or waveform.tensor.shape[1] == walk.frames:
        raise_cannot_stream(layer, "pads something else than the mixture")
    walk.before += layer.padding[0]
    return waveform


def silence_cut(walk, layer, waveform):
    """Leave in what `silence_around` left out."""
    if layer.cropping != (walk.before, 0):
        raise_cannot_stream(layer, "cuts off something else than the silence in front")
    return waveform


def stft(walk, layer, waveform):
    """Transform the frames that end in this block. The caller mirrors the ends of a stream."""

    def build():
        same = {"n_fft": layer.n_fft, "hop": layer.hop, "window": layer.window}
        return STFT(**same, center=False, name=f"{layer.name}_step")

    return _framed(walk, layer, waveform, walk.twin(layer, build))


def learned_analysis(walk, layer, waveform):
    """Analyse the frames that end in this block."""
    return _framed(walk, layer, waveform, layer)


def _framed(walk, layer, waveform, call):
    x = waveform.tensor
    if x.shape[1] != walk.frames * layer.hop:
        raise_cannot_stream(layer, "is not the only one that cuts frames")
    ahead = hops_per_frame(layer) - 1
    outputs = call(walk.past(x, ahead * layer.hop))
    several = isinstance(outputs, list | tuple)
    outputs = outputs if several else (outputs,)
    # A hop that does not divide the frame leaves room for one more.
    signals = [Signal(y[:, : walk.frames], waveform.lag + ahead) for y in outputs]
    return tuple(signals) if several else signals[0]


def inverse_stft(walk, layer, spectrum, like=None):
    """Invert, and return the samples that no later frame reaches."""

    def build():
        # The inverse of one frame with a window of ones is the frame itself.
        same = {"n_fft": layer.n_fft, "hop": layer.hop, "center": False}
        return InverseSTFT(**same, window="rectangular", name=f"{layer.name}_step")

    one_each = ops.transpose(spectrum.tensor, (1, 0, 2, 3, 4))
    frames = walk.twin(layer, build)(one_each)
    channels, weights = frames.shape[2], window(layer.window, layer.n_fft)
    # The channels are interleaved in rows: TFLite is slow with a last axis of two.
    frames = ops.reshape(frames, (walk.frames, -1)) * np.repeat(weights, channels)
    valid = ops.reshape(walk.valid(spectrum.lag), (walk.frames, 1))
    signal = overlapped(walk, frames * valid, layer, channels)
    total = overlapped(walk, valid * np.square(weights), layer, 1)
    return Signal(signal / ops.maximum(total, layer.least), spectrum.lag)


def learned_synthesis(walk, layer, features, like=None):
    """Synthesise, and return the samples that no later frame reaches."""
    x = features.tensor
    ones = (1,) * (len(x.shape) - 2)
    x = x * ops.reshape(walk.valid(features.lag), (1, walk.frames, *ones))
    x = layer(x)
    rows = walk.frames * layer.hop
    return Signal(walk.carry(_filled(x, rows, layer), rows), features.lag)


def overlapped(walk, frames, layer, channels):
    """Overlap-add frames `(frames, n_fft * channels)`; return `(1, frames * hop, channels)`."""
    x = overlap_add(frames[None], layer.hop * channels)
    rows = walk.frames * layer.hop
    return walk.carry(_filled(ops.reshape(x, (1, -1, channels)), rows, layer), rows)


def _filled(x, rows, layer):
    """Pad overlap-added frames to whole hops, for hops that do not divide the frame."""
    missing = rows + (hops_per_frame(layer) - 1) * layer.hop - x.shape[1]
    return ops.pad(x, [[0, 0], [0, missing]] + [[0, 0]] * (len(x.shape) - 2)) if missing else x
