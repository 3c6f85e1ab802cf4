"""Load a checkpoint of whichever project published an architecture."""

import importlib
import os

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
    project = PROJECTS.get(type(model).__name__)
    if getattr(model, "bridged", False):
        project = "x_umx"
    if project is None:
        raise InputError(
            f"received a model of {type(model).__name__}, expected {', '.join(PROJECTS)}: no other "
            f"has published checkpoints"
        )
    return importlib.import_module(f"kerasep.importers.{project}").load(model, checkpoint)
