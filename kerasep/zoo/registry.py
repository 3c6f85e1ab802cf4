"""Models by the name of a preset, or from a file."""

import difflib
import json
import os
import pathlib
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from kerasep import importers, models
from kerasep.errors import InputError
from kerasep.files.text_files import read_text
from kerasep.models.building import build
from kerasep.zoo import model_file, weights_file
from kerasep.zoo.published import download, is_address, is_shipped, load_published

MODEL_FILE = "model.keras"
_LARGEST_RECIPE = 1 << 20  # bytes


def list_entries() -> list[str]:
    """List the names of all presets, the default preset of each entry first.

    Returns:
        List of "entry/preset" names.

    Example:
    >>> "open_unmix_like/umx" in list_entries()
    True
    """
    return [f"{entry}/{preset}" for entry, card in _cards().items() for preset in card["presets"]]


def describe(name: str) -> dict:
    """Describe a preset: class, arguments, training recipe and published weights.

    Args:
        name: "entry" for the entry's default preset, or "entry/preset".

    Returns:
        Dict of `name`, `description`, `class`, `arguments`, `recipe` and `weights`; of `size`: its
        parameters, multiply-adds per second of audio and latency in samples (None if it needs the
        whole chunk); and of `tiny`: arguments that make a toy of it, for trials:
        `load(name, **describe(name)["tiny"])`.

    Raises:
        InputError: for an unknown name. The message has the nearest one.

    Example:
    >>> describe("open_unmix_like/umx")["arguments"]["hidden"]
    512
    """
    cards = _cards()
    entry, _, preset = name.partition("/")
    card = cards.get(entry)
    if card is None or (preset and preset not in card["presets"]):
        known = [*cards, *list_entries()]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
        hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(cards)}"
        raise InputError(f"received model {name!r}, expected a name of the zoo or a file: {hint}")
    preset = preset or next(iter(card["presets"]))
    settings = card["presets"][preset]
    return {
        "name": f"{entry}/{preset}",
        "description": settings["description"],
        "class": card["class"],
        "arguments": {**card["arguments"], **settings.get("arguments", {})},
        "tiny": card["tiny"],
        "recipe": merge_recipe(card["recipe"], settings.get("recipe", {})),
        "weights": settings.get("weights", {}),
        "size": settings.get("size", {}),
    }


def trained_preset(name: str) -> str:
    """Return the preset that a name stands for if a trained model is needed.

    Args:
        name: "entry" or "entry/preset".

    Returns:
        The preset's "entry/preset": of an entry alone the first whose weights come with the
        package, else the first with published weights, else the default one.

    Raises:
        InputError: for an unknown name.

    Example:
    >>> trained_preset("open_unmix_like"), trained_preset("open_unmix_like/umx")
    ('open_unmix_like/karaoke', 'open_unmix_like/umx')
    """
    card = describe(name)
    if "/" in name:
        return card["name"]
    cards = [describe(f"{name}/{preset}") for preset in _cards()[name]["presets"]]
    shipped = [c for c in cards if any(map(is_shipped, c["weights"].values()))]
    return next((c for c in [*shipped, *(c for c in cards if c["weights"])]), card)["name"]


def load(
    name: str | os.PathLike,
    weights: str | os.PathLike | bool | None = None,
    *,
    progress: Callable[[float], object] | None = None,
    **overrides: Any,
) -> models.SeparationModel:
    """Build a model by its name, or restore one from a file or a training run.

    Args:
        name: "entry" or "entry/preset"; or the path of a `.keras` file, or of a folder that
            `kerasep train` wrote. A path that holds a model has precedence over a name.
        weights: None or False for random weights; True for the preset's published ones, or the
            name of one of its published sets; the path of a `.weights.h5` or `.keras` file, or of a
            checkpoint that another project published, or of its folder (see `kerasep.importers`);
            or an address that ends in `#sha256=...`, `https://` or `hf://owner/repository/file`.
            Downloads are kept in `kerasep.zoo.downloads.cache_folder()`.
        progress: called with the share of a download that was received, 0 to 1.
        **overrides: arguments of the model's class that differ from the preset's, such as
            `sources=["vocals"]` or `sample_rate=16000`.

    Returns:
        A `kerasep.models.SeparationModel`, its `recipe` that of the preset.

    Raises:
        InputError: for an unknown name (the message has the nearest one) or argument, a file that
            is not a model, weights of another model, or a download that fails.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like", sources=["vocals"], hidden=64)
    assert model.sources == ("vocals",)
    ```
    """
    path = pathlib.Path(name)
    file = path / MODEL_FILE if path.is_dir() else path
    known = name in _cards() or name in list_entries()
    preset = None
    if file.is_file() or (not known and (path.exists() or path.suffix == ".keras")):
        model = _restore(file, overrides)
    else:
        preset = describe(str(name))
        cls = getattr(models, preset["class"])
        unknown = set(overrides) - set(preset["arguments"]) - {"name"}
        if unknown:
            raise InputError(
                f"received argument {', '.join(sorted(unknown))}, expected one of "
                f"{', '.join(preset['arguments'])} for {preset['name']}"
            )
        model = build(cls, {**preset["arguments"], **overrides})
        model.recipe = preset["recipe"]
        model.preset = preset["name"]
    if weights is None or weights is False:
        return model
    if weights is True and not preset:
        raise InputError(f"received weights=True for the saved model {file}, which has its own")
    if preset and (weights is True or weights in preset["weights"]):
        load_published(model, preset, weights if weights is True else str(weights), progress)
        return model
    weights = str(weights)
    if is_address(weights):
        weights = download(weights, progress)
    elif preset and preset["weights"] and not pathlib.Path(weights).exists():
        raise InputError(
            f"received weights {weights}, expected a file, a folder, or a published set of "
            f"{preset['name']}: {', '.join(preset['weights'])}"
        )
    load_weights(model, weights)
    return model


def merge_recipe(recipe: Mapping, changes: Mapping) -> dict:
    """Return a recipe with changes, those under `data` key by key.

    Example:
    >>> merge_recipe({"epochs": 9, "data": {"remix": 0.5}}, {"data": {"remix": 1.0}})
    {'epochs': 9, 'data': {'remix': 1.0}}
    """
    data = {**recipe.get("data", {}), **changes.get("data", {})}
    return {**recipe, **changes, "data": data}


def _cards():
    folder = resources.files("kerasep.zoo") / "presets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return {f.name.removesuffix(".json"): json.loads(f.read_text("utf-8")) for f in files}


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
        model.recipe = _read_recipe(recipe)
    return model


def _read_recipe(file):
    """Read the recipe of a training run."""
    try:
        if file.stat().st_size > _LARGEST_RECIPE:
            raise ValueError("it is too large")
        recipe = json.loads(read_text(file))["recipe"]
        merge_recipe(recipe, {})  # which raises an error if it is not a recipe
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise InputError(
            f"received {file}, expected the recipe of a training run: remove the file"
        ) from error
    return recipe


def load_weights(model: models.SeparationModel, path: str | os.PathLike) -> None:
    """Set a model's weights from a file of Keras or another project, or from a training run."""
    path = pathlib.Path(path)
    if path.is_dir() and (path / MODEL_FILE).is_file():
        path = path / MODEL_FILE
    if path.is_dir():
        try:
            importers.load(model, path)
        except InputError as error:
            raise InputError(
                f"received weights {path}, expected {MODEL_FILE} there, or another project's "
                f"checkpoint: {error}"
            ) from error
    elif path.suffix not in (".h5", ".keras") and path.exists():
        importers.load(model, path)
    elif path.suffix == ".keras" and path.is_file():
        model_file.load_weights(model, path)
    elif path.name.endswith(".weights.h5") and path.is_file():
        weights_file.load(model, path)
    else:
        raise InputError(f"received weights {path}, expected a .weights.h5 or .keras file there")
