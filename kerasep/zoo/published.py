"""Published weights: what a preset says of them, from addresses to a model's variables."""

import pathlib
import re
import urllib.parse

from kerasep import importers
from kerasep.errors import InputError
from kerasep.zoo import shipped
from kerasep.zoo.downloads import fetch

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
_HUB = re.compile(r"hf://([\w.-]+)/([\w.-]+)/([^/?]+(?:/[^/?]+)*)")


def is_address(weights):
    """Tell whether weights are given by an address.

    Args:
        weights: what `zoo.load` was given.

    Returns:
        Whether it starts with `https://`, `hf://` or the like; `download` takes these two.

    Example:
    >>> is_address("hf://somebody/model/vocals.weights.h5#sha256=00112233"), is_address("a.h5")
    (True, False)
    """
    return bool(_ADDRESS.match(str(weights)))


def download(address, progress=None):
    """Fetch a file whose address carries its checksum.

    Args:
        address: `https://...#sha256=...`, with all 64 hexadecimal digits, or
            `hf://owner/repository/file#sha256=...` for a file of the Hugging Face hub.
        progress: called with the share that is there, 0 to 1.

    Returns:
        Its path.

    Raises:
        InputError: for an address that is malformed or without a checksum, and as
            `downloads.fetch`.

    Example:
    ```python
    from kerasep.zoo import published

    try:
        published.download("https://example.org/vocals.weights.h5")
    except ValueError as error:
        assert "#sha256=" in str(error)
    ```
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
            f"hexadecimal digits of the file's SHA-256 (sha256sum FILE tells them)"
        )
    return fetch(url, checksum, progress)


def load_published(model, card, name=True, progress=None):
    """Set a model's weights from one of its preset's published sets.

    Args:
        model: a model of the preset; with fewer sources, only theirs are downloaded where each has
            a file of its own.
        card: what `zoo.describe` gives.
        name: of the set; True for the first.
        progress: called with the share of all files that is there, 0 to 1.

    Raises:
        InputError: for a preset without published weights, or without a set of that name, a source
            that the set lacks, and as `downloads.fetch`.
    """
    sets = card["weights"]
    if not sets or (name is not True and name not in sets):
        known = f"it has {', '.join(sets)}" if sets else "train it, or give weights=PATH"
        raise InputError(
            f"received weights={name!r} for {card['name']}, which has no such published set: "
            f"{known}"
        )
    chosen = next(iter(sets.values())) if name is True else sets[name]
    model.licence = chosen.get("licence")
    if shipped.is_shipped(chosen):
        shipped.load(model, card, chosen)
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
    paths = {}
    for index, each in enumerate(wanted):

        def share(done, index=index):
            if progress:
                progress((index + done) / len(wanted))

        file = files[each]
        paths[each] = fetch(file["url"], file["sha256"], share, size=file.get("bytes"))
    importers.load(model, paths["all"] if whole else paths)


def is_foreign(path):
    """Tell a checkpoint of another project from weights that Keras saved, by its name.

    Args:
        path: the file.

    Returns:
        Whether it is neither `.h5` nor `.keras`, nor a folder.

    Example:
    >>> is_foreign("vocals-b62c91ce.pth"), is_foreign("mine.weights.h5")
    (True, False)
    """
    path = pathlib.Path(path)
    return not path.is_dir() and path.suffix not in (".h5", ".keras")
