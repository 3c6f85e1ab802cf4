"""Load a checkpoint of whichever project published an architecture."""

import importlib

from kerasep.errors import InputError

# Whose published checkpoints a model takes.
PROJECTS = {
    "ChimeraLike": "nussl",
    "ConvTasNetLike": "asteroid",
    "DPRNNLike": "asteroid",
    "DeepClusteringLike": "nussl",
    "DemucsLike": "demucs",
    "MaskInferenceLike": "nussl",
    "OpenUnmixLike": "open_unmix",
    "SpleeterLike": "spleeter",
}


def load(model, checkpoint):
    """Set a model's weights from a checkpoint that another project published.

    Args:
        model: a model of the zoo.
        checkpoint: path of the file, or of the folder where the project has several.

    Returns:
        The model.

    Raises:
        InputError: for a model of which no project publishes checkpoints, a file that cannot be
            read, or weights of another model, naming those missing, not expected and misshapen.

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
            f"received a {type(model).__name__}, expected one of {', '.join(PROJECTS)}: no other "
            f"has published checkpoints"
        )
    return importlib.import_module(f"kerasep.importers.{project}").load(model, checkpoint)
