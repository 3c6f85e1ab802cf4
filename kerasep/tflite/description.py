"""What a file says of the model that it was made from."""

import hashlib

import keras
import numpy as np

import kerasep
from kerasep.tflite.bounds import FORMAT


def description(separator, mode, quantization):
    """Describe a model for a file's metadata.

    Args:
        separator: what is exported.
        mode: of the export.
        quantization: of its weights, or None.

    Returns:
        Dict of plain JSON values: what `kerasep.tflite.read_metadata` lists, but for what the mode
        and the comparison with Keras add.
    """
    model = getattr(separator, "model", separator)
    stft = getattr(model, "stft", None)
    return {
        "format": FORMAT,
        "kerasep": kerasep.__version__,
        "created_by": f"kerasep {kerasep.__version__}, keras {keras.__version__}",
        "model": type(model).__name__,
        "preset": getattr(model, "preset", None),
        "licence": getattr(model, "licence", None),
        "weights_sha256": weights_sha256(model),
        "mode": mode,
        "quantization": quantization,
        "sources": list(separator.sources),
        "interchangeable": getattr(separator, "interchangeable", False),
        "sample_rate": separator.sample_rate,
        "channels": separator.channels,
        "stft": stft and dict(stft),
        "hop": stft["hop"] if stft else 1,
        "latency": getattr(separator, "latency", None),
        "state": None,
    }


def weights_sha256(model):
    """Sum up a model's weights, on whatever backend they are.

    Args:
        model: a built `keras.Model`.

    Returns:
        SHA-256, in hexadecimal digits, of all weights' little-endian bytes in the order of
        `model.weights`.

    Example:
    >>> import keras
    >>> len(weights_sha256(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])))
    64
    """
    digest = hashlib.sha256()
    for weight in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        digest.update(value.astype(value.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
