"""Weights that come with the package: 16-bit floats, for the presets of modest size."""

from importlib import resources

from kerasep.errors import InputError
from kerasep.files.checksums import sha256
from kerasep.zoo import weights_file


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
    held = model.get_config()
    differing = [name for name, value in card["arguments"].items() if held[name] != value]
    if differing:
        raise InputError(
            f"received another {', '.join(differing)} for {card['name']}, whose weights were "
            f"trained with {card['arguments'][differing[0]]}: train it yourself, or leave that out"
        )
    file = resources.files("kerasep.zoo") / "weights" / weights["file"]
    with resources.as_file(file) as path:
        if not path.is_file() or sha256(path) != weights["sha256"]:
            raise InputError(f"received {path}, which is missing or damaged: install kerasep again")
        weights_file.load(model, path)
