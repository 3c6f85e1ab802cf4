"""Tracks that lack a stem of a source."""

from collections import Counter
from dataclasses import replace

from kerasep.errors import InputError
from kerasep.system import logs

MISSING = ("silent", "skip", "refuse")

logger = logs.logger(__name__)


def with_sources(tracks, sources, missing="refuse"):
    """Return the tracks with all sources; `missing` is as for `find_tracks`."""
    if missing not in MISSING:
        raise InputError(f"received missing={missing!r}, expected one of {', '.join(MISSING)}")
    lacking = [track.lacking(sources) for track in tracks]
    counts = Counter(source for names in lacking for source in names)
    for source, count in counts.items():
        if count == len(tracks) and missing != "refuse":
            raise InputError(
                f"none of {count} tracks has a stem {source!r}, the first has "
                f"{', '.join(sorted(tracks[0].stems))}: choose other sources"
            )
    chosen = [
        replace(track, silent=(*track.silent, *names)) if names and missing == "silent" else track
        for track, names in zip(tracks, lacking, strict=True)
        if not names or missing != "skip"
    ]
    if tracks and not chosen:
        raise InputError(
            f"none of {len(tracks)} tracks has all of {', '.join(sources)}: choose others or "
            f"missing='silent'"
        )
    for track in chosen:
        track.groups(sources)  # raises an error for a source that is missing, or two that overlap
    if counts:
        logger.warning(
            "%d of %d tracks lack a stem (%s): %s",
            sum(map(bool, lacking)),
            len(tracks),
            ", ".join(f"{source} in {count}" for source, count in counts.items()),
            "it counts as silence" if missing == "silent" else "they are left out",
        )
    return chosen
