"""The presets of the zoo as their JSON files describe them, without any model."""

import difflib
import json
import pathlib
from collections.abc import Mapping
from importlib import resources

from kerasep.errors import InputError
from kerasep.files.text_files import read_text

#: The preset that separates songs unless another model is named.
BEST_FOR_SONGS = "mdx_net_like/karaoke"
_LARGEST_RECIPE = 1 << 20  # bytes


def list_entries() -> list[str]:
    """List the names of all presets, the default preset of each entry first.

    Returns:
        List of "entry/preset" names.

    Example:
    >>> "open_unmix_like/umx" in list_entries()
    True
    """
    return [
        f"{entry}/{preset}" for entry, card in all_cards().items() for preset in card["presets"]
    ]


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
    known_entries = all_cards()
    entry, _, preset = name.partition("/")
    card = known_entries.get(entry)
    if card is None or (preset and preset not in card["presets"]):
        known = [*known_entries, *list_entries()]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
        hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known_entries)}"
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


def check_trained(card: Mapping) -> None:
    """Raise `InputError` for a preset without trained weights, which names those with some.

    Example:
    >>> check_trained(describe("unet_like/karaoke"))
    """
    if card["weights"]:
        return
    name = card["name"]
    entry = name.partition("/")[0]
    trained = {other: describe(other)["weights"] for other in list_entries()}
    same = [other for other in trained if trained[other] and other.startswith(f"{entry}/")]
    included = [
        other for other in trained if any("file" in weights for weights in trained[other].values())
    ]
    raise InputError(
        f"received preset {name}, which has no trained weights, expected one that has: "
        f"{', '.join(same or included)}; or train it first: kerasep train {name} --data FOLDER "
        f"--out RUN"
    )


def merge_recipe(recipe: Mapping, changes: Mapping) -> dict:
    """Return a recipe with changes, those under `data` key by key.

    Example:
    >>> merge_recipe({"epochs": 9, "data": {"remix": 0.5}}, {"data": {"remix": 1.0}})
    {'epochs': 9, 'data': {'remix': 1.0}}
    """
    data = {**recipe.get("data", {}), **changes.get("data", {})}
    return {**recipe, **changes, "data": data}


def read_recipe(file: pathlib.Path) -> dict:
    """Read a recipe, or changes to one, from JSON; also from the recipe.json of a training run."""
    try:
        if file.stat().st_size > _LARGEST_RECIPE:
            raise ValueError("it is too large")
        contents = json.loads(read_text(file))
        recipe = contents.get("recipe", contents)
        merge_recipe(recipe, {})  # which raises an error if it is not a recipe
    except OSError as error:
        raise InputError(f"received {file}, which cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f'received {file}, expected a recipe in JSON such as {{"epochs": 9}}, or that of a '
            f"training run: correct or remove the file"
        ) from error
    return recipe


def all_cards() -> dict[str, dict]:
    """Return a dict from each entry to what its JSON file holds."""
    folder = resources.files("kerasep.zoo") / "presets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return {f.name.removesuffix(".json"): json.loads(f.read_text("utf-8")) for f in files}
