"""The source that stands for the rest of the mixture, by the names of a model's sources."""

from collections.abc import Iterable
from typing import Any

_VOICES = {"vocals", "voice", "singing"}
_ALL_BUT_THE_VOICE = ("accompaniment", "instrumental")
_BAND = {"vocals", "drums", "bass"}
_ALWAYS = ("noise", "background", "rest", "residual")


def residual_source(sources: Iterable[str]) -> str | None:
    """Return the source that stands for the rest of the mixture.

    - "accompaniment" or "instrumental", beside a voice alone ("vocals", "voice" or "singing").
    - "other", if "vocals", "drums" and "bass" are among the sources.
    - "noise", "background", "rest" or "residual", beside any source.

    Args:
        sources: Names of sources.

    Returns:
        One of the names, or None if the sources are not known to make up the whole mixture.

    Example:
    >>> residual_source(["vocals", "accompaniment"])
    'accompaniment'
    >>> residual_source(["drums", "bass", "other", "vocals"])
    'other'
    >>> residual_source(["vocals", "drums"]) is None
    True
    """
    names = set(sources)
    for name in _ALL_BUT_THE_VOICE:
        if name in names:
            return name if len(names) == 2 and names & _VOICES else None
    if "other" in names:
        return "other" if names > _BAND else None
    return next((name for name in _ALWAYS if name in names and len(names) > 1), None)


def residual_of(separator: Any) -> str | None:
    """Return the residual of a `Separator`, or the source of a model that stands for the rest."""
    if getattr(separator, "interchangeable", False):
        return None
    residual = getattr(separator, "residual", None)
    return residual if isinstance(residual, str) else residual_source(separator.sources)


def is_consistent(model: Any, residual: str | None) -> bool:
    """Return whether estimates are made to add up to the mixture by default."""
    return residual is None and residual_of(model) is not None
