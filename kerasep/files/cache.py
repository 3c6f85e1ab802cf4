"""The folder of files that can be downloaded or computed again."""

import os
import pathlib


def cache_folder() -> pathlib.Path:
    """Return `$KERASEP_CACHE`, or `kerasep` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("KERASEP_CACHE") or pathlib.Path(base) / "kerasep")
