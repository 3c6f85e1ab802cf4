"""Initial weights of Demucs' convolutions."""

import math
from typing import Any

import keras


def rescaled_uniform(inputs: int, rescale: float | None = 0.1) -> dict[str, Any]:
    """Return the initializers of a convolution's kernel and bias, as arguments of its layer.

    Both are uniform within `1 / sqrt(inputs)`, as in PyTorch, divided by `sqrt(d / rescale)` with
    the deviation `d` of that distribution, unless `rescale` is None.

    Args:
        inputs: number of inputs of an output: the kernel size times the input features. In a
            transposed convolution, PyTorch counts the output features.
        rescale: reference for the deviation. Defaults to 0.1.
    """
    limit = 1 / math.sqrt(inputs)
    if rescale is not None:
        limit = math.sqrt(math.sqrt(3) * rescale * limit)
    uniform = keras.initializers.RandomUniform
    return {
        "kernel_initializer": uniform(-limit, limit),
        "bias_initializer": uniform(-limit, limit),
    }
