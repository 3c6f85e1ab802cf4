"""The metadata that every reader in another language must accept or refuse as Python does."""

import json
import pathlib

CASES = json.loads((pathlib.Path(__file__).parents[1] / "metadata_cases.json").read_text())


def metadata_texts(about):
    """Return a dict from (kind, name) of each case to its text, made of a file's own metadata."""
    whole = json.dumps(about)
    return {
        (kind, name): json.dumps(about | changes)
        for kind in ("accepted", "refused")
        for name, changes in CASES[kind].items()
    } | {
        (kind, name): text.replace("@", whole[1:-1])
        for kind in ("accepted_texts", "refused_texts")
        for name, text in CASES[kind].items()
    }
