"""Small causal models, and streamers of them."""

import functools

import keras
import numpy as np

import kerasep
from kerasep.models import (
    ConvTasNetLike,
    DPRNNLike,
    DTLNLike,
    GTCRNLike,
    HSTasNetLike,
    MaskInferenceLike,
    OpenUnmixLike,
    TasNetLike,
    ULUNASLike,
)
from kerasep.streaming import Streamer, StreamingStep
from kerasep.streaming.buffering import Buffer

SPECTRUM = {"sample_rate": 8000, "n_fft": 128, "bidirectional": False}
CONV = {"filters": 16, "bottleneck": 6, "hidden": 8, "skip": 5, "blocks": 3, "repeats": 1}
DPRNN = {"filters": 16, "bottleneck": 6, "hidden": 4, "chunk": 6, "blocks": 1, "norm": "layer"}
BANDS = {"sample_rate": 8000, "n_fft": 128, "hop": 64, "low": 17, "bands": 16}
SMALL = {
    "open_unmix": lambda **changes: OpenUnmixLike(
        ["vocals", "drums"],
        **{**SPECTRUM, "hop": 32, "hidden": 8, "lstm_layers": 2, "max_hz": 3000, **changes},
    ),
    "mask_inference": lambda **changes: MaskInferenceLike(
        **{**SPECTRUM, "hop": 32, "units": 6, "lstm_layers": 1, **changes}
    ),
    "tasnet": lambda **changes: TasNetLike(
        **{"filters": 16, "hidden": 8, "bidirectional": False, **changes}
    ),
    "conv_tasnet": lambda **changes: ConvTasNetLike(**{**CONV, "causal": True, **changes}),
    "dtln": lambda **changes: DTLNLike(
        **{"frame": 64, "hop": 16, "filters": 12, "units": 6, "normalized": True, **changes}
    ),
    "gtcrn": lambda **changes: GTCRNLike(**{**BANDS, "filters": 4, "dilations": [1, 2], **changes}),
    "ul_unas": lambda **changes: ULUNASLike(**{**BANDS, "filters": [2, 4, 4, 4, 4], **changes}),
    "dprnn": lambda **changes: DPRNNLike(**{**DPRNN, "bidirectional": False, **changes}),
    "hs_tasnet": lambda **changes: HSTasNetLike(
        ["vocals", "drums"],
        **{"sample_rate": 8000, "kernel_size": 64, "filters": 12, "units": 6, **changes},
    ),
}


def shaken(model, seed=0):
    """Give every weight a value that shows: norms start as identities."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if variable.dtype == "float32":
            value = keras.ops.convert_to_numpy(variable)
            noise = 0.1 * rng.standard_normal(value.shape)
            variable.assign(value + (np.abs(noise) if "variance" in variable.path else noise))
    return model


def noise(samples, channels, seed=0):
    x = np.random.default_rng(seed).standard_normal((samples, channels))
    return 0.1 * x.astype("float32")


@functools.cache
def separated(kind, changes=()):
    """A small causal model, and its separator."""
    model = shaken(SMALL[kind](**dict(changes)))
    return model, kerasep.Separator(model)


def eager(model):
    """A stream of a model that is not compiled, which is faster for few steps on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        return Streamer(model)
    step = StreamingStep(model)
    channels, count = step.separator.channels, len(step.separator.sources)
    return Buffer(step, step.start, step.timing, channels, count)


@functools.cache
def built(kind, changes=()):
    """A small causal model, its separator and a streamer of it."""
    model, separator = separated(kind, changes)
    return model, separator, Streamer(separator)
