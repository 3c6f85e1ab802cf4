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
from kerasep.models.building import build
from kerasep.system import logs
from kerasep.system.arguments import plain
from kerasep.zoo import weights_file
from kerasep.zoo.downloads import fetch
from kerasep.zoo.fitting import copy_weights

log = logs.logger(__name__)

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
_HUB = re.compile(r"hf://([\w.-]+)/([\w.-]+)/([^/?]+(?:/[^/?]+)*)")


def is_address(weights: object) -> bool:
    """Return whether weights are named by an address, such as `https://...` or `hf://...`."""
    return bool(_ADDRESS.match(str(weights)))


def is_shipped(weights: dict) -> bool:
    """Return whether a preset's set of weights is in the package."""
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
    model: SeparationModel, card: dict, name: str, progress: Callable | None = None
) -> None:
    """Set a model's weights from the published set `name` of its preset, and log their licence.

    If the model differs from the preset, the layers that fit are kept. Of a set with a file per
    source only the files of the model's sources are downloaded.
    """
    chosen = card["weights"][name]
    title = f"{card['name']}, weights {name}"
    arguments, files = card["arguments"], chosen.get("files", {})
    if per_source := files and set(files) != {"all"}:
        common = [source for source in model.sources if source in files]
        if not common:
            raise InputError(
                f"received sources {', '.join(model.sources)}, expected some of "
                f"{', '.join(files)}, of which {card['name']} has published weights"
            )
        arguments = {**arguments, "sources": common}
    config = model.get_config()
    if all(config[argument] == plain(value) for argument, value in arguments.items()):
        source = model
    else:
        source = build(type(model), arguments, random_values=False)
    if is_shipped(chosen):
        _load_shipped(source, chosen)
    else:
        wanted = arguments["sources"] if per_source else ["all"]
        paths = _downloaded(files, wanted, progress)
        importers.load(source, paths if per_source else paths["all"])
    if source is not model:
        copy_weights(source, model, title)
    model.licence = chosen["licence"]
    log.info("%s: licence: %s; trained on %s", title, chosen["licence"], chosen["data"])


def _downloaded(files, wanted, progress):
    """Return the paths of the wanted files by name."""

    def report(index, share):
        if progress:
            progress((index + share) / len(wanted))

    paths = {}
    for index, name in enumerate(wanted):
        file, share = files[name], functools.partial(report, index)
        if "sha256" not in file:
            raise InputError(
                f"received no checksum of {file['url']}, expected one, since kerasep uses no file "
                f"that it cannot check: download it by hand and pass weights=PATH"
            )
        paths[name] = fetch(file["url"], file["sha256"], share, size=file.get("bytes"))
    return paths


def _load_shipped(model, weights):
    """Set a model's weights from a file in the package."""
    file = resources.files("kerasep.zoo") / "weights" / weights["file"]
    with resources.as_file(file) as path:
        if not path.is_file() or sha256(path) != weights["sha256"]:
            raise InputError(f"received {path}, which is missing or damaged: install kerasep again")
        weights_file.load(model, path)
