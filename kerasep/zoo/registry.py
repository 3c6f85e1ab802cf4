"""Models by the name of a preset, or from a file."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

from kerasep import models
from kerasep.errors import InputError
from kerasep.models.building import build
from kerasep.system import logs
from kerasep.zoo import model_file
from kerasep.zoo.cards import all_cards, check_trained, describe, list_entries, read_recipe
from kerasep.zoo.fitting import NothingFitsError, copy_weights
from kerasep.zoo.published import download, is_address, is_shipped, load_published
from kerasep.zoo.weights_source import MODEL_FILE, load_file

log = logs.logger(__name__)


def class_of(name: str | os.PathLike) -> type[models.SeparationModel]:
    """Return the class of a preset, or of a saved model, without building it."""
    file = _saved_file(name)
    if file is None:
        return getattr(models, describe(str(name))["class"])
    with model_file.opened(file) as archive:
        return model_file.read_config(archive, file)[0]


def load(
    name: str | os.PathLike,
    weights: str | os.PathLike | bool | None = None,
    *,
    progress: Callable[[float], object] | None = None,
    **overrides: Any,
) -> models.SeparationModel:
    """Build a model by its name, or restore one from a file or a training run.

    The log says which weights were loaded, and their licence. If the model differs from the one
    that they were trained for (by its sources, channels, rate, transform or sizes), the layers that
    fit are kept and the others are initialised: the log lists them. Such a model needs training.

    Args:
        name: "entry" for the entry's first preset, or "entry/preset"; or the path of a `.keras`
            file, or of a folder that `kerasep train` wrote. A path that holds a model has
            precedence over a name.
        weights: None for the weights in the package if the preset has some, else random ones. False
            for random weights. True for the preset's first set, downloaded if it is not in the
            package. Or the name of one of its sets; of another preset, whose first set is taken;
            the path of a `.weights.h5` or `.keras` file, of a training run, or of a checkpoint that
            another project published, or of its folder (see `kerasep.importers`); or an address
            that ends in `#sha256=...`, `https://` or `hf://owner/repository/file`. Downloads are
            kept in `~/.cache/kerasep`, or `$KERASEP_CACHE`.
        progress: called with the share of a download that was received, 0 to 1.
        **overrides: arguments of the model's class that differ from the preset's, such as
            `sources=["vocals"]` or `sample_rate=16000`.

    Returns:
        A `kerasep.models.SeparationModel`, its `recipe` that of the preset.

    Raises:
        InputError: for an unknown name (the message has the nearest one) or argument, a file that
            is not a model, weights of which nothing fits, or a download that fails.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like", sources=["vocals"], hidden=64)
    assert model.sources == ("vocals",)
    ```
    """
    file = _saved_file(name)
    if file is None:
        card = describe(str(name))
        model = _build(card, overrides, weights)
        _set_weights(model, card, weights, progress)
        return model
    model = _restore(file, overrides)
    if isinstance(weights, bool):
        raise InputError(
            f"received weights={weights} for the saved model {file}, which has its own: leave it "
            f"out, or name a preset"
        )
    if weights is not None:
        _set_weights(model, {"name": str(file), "weights": {}}, weights, progress)
    return model


def _build(card, overrides, weights):
    """Build a preset's model with random weights, or zeros if published ones replace them all."""
    unknown = set(overrides) - set(card["arguments"]) - {"name"}
    if unknown:
        raise InputError(
            f"received argument {', '.join(sorted(unknown))}, expected one of "
            f"{', '.join(card['arguments'])} for {card['name']}"
        )
    replaced = not overrides and (
        weights in card["weights"]
        or (weights is True and bool(card["weights"]))
        or (weights is None and any(map(is_shipped, card["weights"].values())))
    )
    model = build(
        getattr(models, card["class"]),
        {**card["arguments"], **overrides},
        random_values=not replaced,
    )
    model.recipe = card["recipe"]
    model.preset = card["name"]
    return model


def _set_weights(model, card, weights, progress):
    """Set a model's weights as `load` documents it."""
    sets = card["weights"]
    if weights is False:
        return
    if weights is None:
        shipped = [key for key, weights_set in sets.items() if is_shipped(weights_set)]
        if shipped:
            try:
                load_published(model, card, shipped[0])
            except NothingFitsError:
                log.info("no weights of %s fit these arguments: they are random", card["name"])
        return
    if weights is True:
        check_trained(card)
        weights = next(iter(sets))
    weights = str(weights)
    path = pathlib.Path(weights)
    is_preset = weights in all_cards() or weights in list_entries()
    if weights in sets:
        load_published(model, card, weights, progress)
    elif is_address(weights):
        load_file(model, download(weights, progress), card.get("arguments"))
    elif is_preset and not (path / MODEL_FILE).is_file():
        other = load(weights, True, progress=progress)
        copy_weights(other, model, weights)
        model.licence = other.licence
    elif path.exists():
        load_file(model, path, card.get("arguments"))
    else:
        known = f", or a published set of {card['name']}: {', '.join(sets)}" if sets else ""
        raise InputError(
            f"received weights {weights}, expected the path of a file or folder, the name of a "
            f"preset (see kerasep list){known}"
        )


def _saved_file(name):
    """Return the file of the saved model that a name stands for, or None for a preset."""
    path = pathlib.Path(name)
    file = path / MODEL_FILE if path.is_dir() else path
    known = name in all_cards() or name in list_entries()
    saved = file.is_file() or (not known and (path.exists() or path.suffix == ".keras"))
    return file if saved else None


def _restore(file, overrides):
    """Restore a whole model, and the recipe in its folder."""
    if overrides:
        raise InputError(
            f"received {', '.join(sorted(overrides))} for the saved model {file}, expected no "
            f"argument: a saved model keeps the ones that it was trained with"
        )
    if not file.is_file():
        raise InputError(f"received model {file}, which is not there: check the path")
    model = model_file.load(file)
    recipe = file.parent / "recipe.json"
    if recipe.is_file():
        model.recipe = read_recipe(recipe)
    return model
