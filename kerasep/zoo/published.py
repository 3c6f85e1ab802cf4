"""Load published weights from an address, or from one of a preset's published sets."""

import functools
import pathlib
import re
import urllib.parse
from collections.abc import Callable
from importlib import resources

from kerasep import importers
from kerasep.errors import InputError
from kerasep.files.checksums import sha256
from kerasep.models import SeparationModel
from kerasep.zoo import weights_file
from kerasep.zoo.downloads import fetch

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
_HUB = re.compile(r"hf://([\w.-]+)/([\w.-]+)/([^/?]+(?:/[^/?]+)*)")


def is_address(weights: object) -> bool:
    """Return whether weights are named by an address, such as `https://...` or `hf://...`."""
    return bool(_ADDRESS.match(str(weights)))


def is_shipped(weights: dict) -> bool:
    """Return whether a preset's set of weights is in the package, not to be downloaded."""
    return "file" in weights


def download(address: str, progress: Callable | None = None) -> pathlib.Path:
    """Return the path of a downloaded file, whose address ends in `#sha256=` and 64 digits.

    Addresses begin with `https://`, or are `hf://owner/repository/file` of the Hugging Face hub.
    """
    url, _, fragment = str(address).partition("#")
    if url.lower().startswith("hf:"):
        hub = _HUB.fullmatch(url)
        if not hub:
            raise InputError(
                f"received weights {address}, expected hf://OWNER/REPOSITORY/FILE#sha256=..."
            )
        owner, repository, file = hub.groups()
        url = f"https://huggingface.co/{owner}/{repository}/resolve/main/{file}"
    checksum = dict(urllib.parse.parse_qsl(fragment)).get("sha256", "")
    if not _CHECKSUM.fullmatch(checksum):
        raise InputError(
            f"received weights {address}, expected an address that ends in #sha256= and the 64 "
            f"hexadecimal digits of the file's SHA-256, as sha256sum FILE prints them"
        )
    return fetch(url, checksum, progress)


def load_published(
    model: SeparationModel, card: dict, name: str | bool = True, progress: Callable | None = None
) -> None:
    """Set a model's weights from a published set of its preset; True stands for the first one.

    Of a set with a file per source only the files of the model's sources are downloaded.
    """
    sets = card["weights"]
    if not sets or (name is not True and name not in sets):
        known = f"it has {', '.join(sets)}" if sets else "train it, or pass weights=PATH"
        raise InputError(
            f"received weights={name!r} for {card['name']}, which has no such published set: "
            f"{known}"
        )
    chosen = next(iter(sets.values())) if name is True else sets[name]
    model.licence = chosen.get("licence")
    if is_shipped(chosen):
        _load_shipped(model, card, chosen)
        return
    files = chosen["files"]
    whole = set(files) == {"all"}
    wanted = ["all"] if whole else list(model.sources)
    missing = [source for source in wanted if source not in files]
    if missing:
        raise InputError(
            f"received sources {', '.join(model.sources)}, expected some of {', '.join(files)}: "
            f"the published weights of {card['name']} have no {', '.join(missing)}"
        )

    def report(index, share):
        if progress:
            progress((index + share) / len(wanted))

    paths = {}
    for index, source in enumerate(wanted):
        file = files[source]
        share = functools.partial(report, index)
        paths[source] = fetch(file["url"], file["sha256"], share, size=file.get("bytes"))
    importers.load(model, paths["all"] if whole else paths)


def _load_shipped(model, card, weights):
    """Set a model's weights from a file in the package."""
    config = model.get_config()
    differing = [name for name, value in card["arguments"].items() if config[name] != value]
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
