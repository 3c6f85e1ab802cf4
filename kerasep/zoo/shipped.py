"""Weights that come with the package: 16-bit floats, for the presets of modest size."""

import hashlib
from importlib import resources

from kerasep.errors import InputError


def is_shipped(weights):
    """Tell a set of weights that lies in the package from one that must be downloaded.

    Args:
        weights: one of a preset's sets, as `zoo.describe` gives them.

    Returns:
        Whether it is in the package.

    Example:
    >>> is_shipped({"file": "open_unmix_like_karaoke.weights.h5"})
    True
    """
    return "file" in weights


def load(model, card, weights):
    """Set a model's weights from the package.

    Args:
        model: a model of the preset, with its sources and sizes.
        card: what `zoo.describe` gives.
        weights: one of its sets.

    Raises:
        InputError: for a model of other arguments, or a file that is damaged or missing.
    """
    differing = [
        name
        for name, value in card["arguments"].items()
        if _listed(getattr(model, name)) != _listed(value)
    ]
    if differing:
        raise InputError(
            f"received another {', '.join(differing)} for {card['name']}, whose weights were "
            f"trained with {card['arguments'][differing[0]]}: train it yourself, or leave that out"
        )
    file = resources.files("kerasep.zoo") / "weights" / weights["file"]
    with resources.as_file(file) as path:
        whole = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest()
        if whole != weights["sha256"]:
            raise InputError(f"received {path}, which is missing or damaged: install kerasep again")
        model.load_weights(path)


def _listed(value):
    return list(value) if isinstance(value, list | tuple) else value
