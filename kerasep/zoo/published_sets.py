"""The catalogue of weights that others published."""

from kerasep.zoo.cards import describe, list_entries


def catalogue() -> list[dict]:
    """List the sets of weights that others published and kerasep can read.

    What a set is licensed for is what its author says, which may be nothing: "not stated".

    Returns:
        List of dicts, in the order of `list_entries`. Each has `preset` and `name`, with which
        `load(preset, weights=name)` loads the set; `sources`, a list of what it separates; `data`,
        what it was trained on; `licence`; `origin`, the address of the project; `bytes` of all
        files, None if not known; and `files`, a dict from each source, or "all", to a dict of
        `url`, `bytes` and `sha256`. Some publishers state the first 8 digits of the checksum alone.
        A set that is not `downloadable` has a file whose checksum is not known (None): fetch it by
        hand, and pass its path. `reported` holds scores that others measured, or None: a dict of
        `measure`, `values` in dB by source or "mean", `data` they were measured on, and their
        `source`. They are not comparable from data to data.

    Example:
    >>> {row["name"]: row["licence"] for row in catalogue()}["umxl"]
    'CC BY-NC-SA 4.0, not for commercial use'
    """
    rows = []
    for preset in list_entries():
        card = describe(preset)
        for name, weights in card["weights"].items():
            if "files" in weights:
                rows.append(_row(preset, name, card["arguments"]["sources"], weights))
    return rows


def is_downloadable(weights: dict) -> bool:
    """Return whether a set of weights is of files whose checksums are known."""
    files = weights.get("files", {})
    return bool(files) and all("sha256" in file for file in files.values())


def _row(preset, name, sources, weights):
    files = {
        source: {"url": file["url"], "bytes": file.get("bytes"), "sha256": file.get("sha256")}
        for source, file in weights["files"].items()
    }
    sizes = [file["bytes"] for file in files.values()]
    return {
        "preset": preset,
        "name": name,
        "sources": list(sources if set(files) == {"all"} else files),
        "data": weights["data"],
        "licence": weights["licence"],
        "origin": weights["origin"],
        "bytes": None if None in sizes else sum(sizes),
        "downloadable": is_downloadable(weights),
        "files": files,
        "reported": weights.get("reported"),
    }
