"""Load a checkpoint of whichever project published an architecture."""

import importlib
import inspect
import os
from typing import Any

import keras

from kerasep.errors import InputError

# The module here that reads the published checkpoints of a class.
PROJECTS = {
    "BSRoFormerLike": "roformer",
    "ChimeraLike": "nussl",
    "ConvTasNetLike": "asteroid",
    "DPRNNLike": "asteroid",
    "DTLNLike": "dtln",
    "DeepClusteringLike": "nussl",
    "DemucsLike": "demucs",
    "GTCRNLike": "gtcrn",
    "HSTasNetLike": "hs_tasnet",
    "HTDemucsLike": "htdemucs",
    "MDXNetLike": "mdx_net",
    "MaskInferenceLike": "nussl",
    "MelBandRoFormerLike": "roformer",
    "OpenUnmixLike": "open_unmix",
    "SCNetLike": "scnet",
    "SpleeterLike": "spleeter",
    "ULUNASLike": "ul_unas",
    "WavenetLike": "wavenet",
}


def load(model: keras.Model, checkpoint: str | os.PathLike | dict) -> keras.Model:
    """Set a model's weights from a checkpoint that another project published.

    Args:
        model: a model of the zoo.
        checkpoint: path of the file, or of the folder if the project has several.

    Returns:
        The model.

    Raises:
        InputError: for a model of which no project publishes checkpoints, a file that cannot be
            read, or weights of another model, naming those missing, not expected and of another
            shape.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/umxse")
    try:
        kerasep.importers.load(model, "no/such/folder")
    except ValueError as error:
        assert "no/such/folder" in str(error)
    ```
    """
    project = "x_umx" if getattr(model, "bridged", False) else type(model).__name__
    return _importer(project).load(model, checkpoint)


def build(architecture: str, checkpoint: str | os.PathLike, **arguments: Any) -> keras.Model:
    """Build the model that a checkpoint fits, with its weights.

    Sizes are those of the weights. Settings that weights do not show are read from the checkpoint
    or a YAML file beside it, if the project keeps them there.

    Args:
        architecture: name of a class of `kerasep.models`, such as "SCNetLike".
        checkpoint: path of the file, or of the folder if the project has several.
        **arguments: arguments of the project's own `build`, such as `sources`.

    Returns:
        The model.

    Raises:
        InputError: for an architecture whose files do not show its sizes, an unknown or missing
            argument, and a file that cannot be read.

    Example:
    ```python
    import kerasep

    try:
        kerasep.importers.build("SCNetLike", "no/such/model.th")
    except ValueError as error:
        assert "no/such/model.th" in str(error)
    ```
    """
    function = getattr(_importer(architecture), "build", None)
    if function is None:
        raise InputError(
            f"received {checkpoint} for {architecture}, whose files do not show their settings, "
            f"expected a preset: load the one of the file's size"
        )
    try:
        inspect.signature(function).bind(checkpoint, **arguments)
    except TypeError as error:
        raise InputError(f"{checkpoint}: {error}: see {function.__module__}.build") from error
    return function(checkpoint, **arguments)


def _importer(name):
    """Return the module that reads the checkpoints of a class or a project."""
    project = {**PROJECTS, "x_umx": "x_umx"}.get(name)
    if project is None:
        raise InputError(
            f"received a model of {name}, expected {', '.join(PROJECTS)}: no other "
            f"has published checkpoints"
        )
    return importlib.import_module(f"kerasep.importers.{project}")
