"""Set a model's weights from a file of Keras, a training run or another project."""

import pathlib
from collections.abc import Callable

from kerasep import importers
from kerasep.errors import InputError
from kerasep.models import SeparationModel
from kerasep.models.building import build
from kerasep.zoo import model_file, weights_file
from kerasep.zoo.fitting import copy_weights

MODEL_FILE = "model.keras"


def load_file(model: SeparationModel, path: pathlib.Path, arguments: dict | None = None) -> None:
    """Set a model's weights from a file or folder: all, or for another model those that fit.

    `arguments` are those of the model's preset, for a file that does not contain them.
    """
    if path.is_dir() and (path / MODEL_FILE).is_file():
        path = path / MODEL_FILE
    if path.suffix == ".keras" and path.is_file():
        _load_model_file(model, path)
    elif path.name.endswith(".weights.h5") and path.is_file():
        _load_all_or_some(model, path, lambda into: weights_file.load(into, path), arguments)
    elif path.is_dir() or (path.exists() and path.suffix != ".keras"):
        _load_all_or_some(model, path, lambda into: _import(into, path), arguments)
    else:
        raise InputError(f"received weights {path}, expected a .weights.h5 or .keras file there")


def _load_model_file(model, path):
    with model_file.opened(path, "weights") as archive:
        cls, arguments = model_file.read_config(archive, path, "weights")
    config = model.get_config()
    # Names of models and rates of dropout do not matter.
    differing = {key for key in arguments.keys() | config.keys() if key not in ("name", "dropout")}
    differing = {key for key in differing if arguments.get(key) != config.get(key)}
    if cls is not type(model) or not differing:
        model_file.load_weights(model, path)
    else:
        copy_weights(model_file.load(path), model, path)


def _load_all_or_some(
    model: SeparationModel, path: pathlib.Path, load: Callable, arguments: dict | None
) -> None:
    """Call `load(model)`; if it fails, `load` a model of the preset, and copy what fits."""
    try:
        load(model)
    except InputError as error:
        for known in _alternatives(model, arguments or {}):
            source = build(type(model), known)
            try:
                load(source)
            except InputError:
                continue
            copy_weights(source, model, path)
            return
        raise error


def _alternatives(model, arguments):
    """Yield the preset's arguments, and those for the sources that it shares with the model."""
    config = model.get_config()
    if any(config[name] != value for name, value in arguments.items()):
        yield arguments
    common = [source for source in model.sources if source in arguments.get("sources", ())]
    if common and common != arguments["sources"]:
        yield {**arguments, "sources": common}


def _import(model, path):
    try:
        importers.load(model, path)
    except InputError as error:
        if path.is_dir():
            raise InputError(
                f"received weights {path}, expected {MODEL_FILE} there, or another project's "
                f"checkpoint: {error}"
            ) from error
        raise
