"""What happens to tracks that lack a stem of a wanted source."""

from collections import Counter
from dataclasses import replace

from kerasep.errors import InputError
from kerasep.system import logs

MISSING = ("silent", "skip", "refuse")

logger = logs.logger(__name__)


def with_sources(tracks, sources, missing="refuse"):
    """Choose the tracks that have all sources, or count missing ones as silence.

    Args:
        tracks: List of `Track`.
        sources: Names of the wanted sources.
        missing: What to do about a track that lacks one: "silent" counts it as silence, "skip"
            leaves the track out, "refuse" raises an error. Defaults to "refuse". The log counts
            what was missing.

    Returns:
        List of `Track`.

    Raises:
        InputError: With "refuse", naming the first such track; no track is left or has a source at
            all; two sources share a stem; or `missing` is something else.
    """
    if missing not in MISSING:
        raise InputError(f"received missing={missing!r}, expected one of {', '.join(MISSING)}")
    lacking = [track.lacking(sources) for track in tracks]
    counts = Counter(source for names in lacking for source in names)
    if missing != "refuse":
        for source, count in counts.items():
            if count == len(tracks):
                raise InputError(
                    f"none of {count} tracks has a stem {source!r}, the first has "
                    f"{', '.join(sorted(tracks[0].stems))}: choose other sources"
                )
    if missing == "silent":
        chosen = [
            replace(track, silent=(*track.silent, *names)) if names else track
            for track, names in zip(tracks, lacking, strict=True)
        ]
    elif missing == "skip":
        chosen = [track for track, names in zip(tracks, lacking, strict=True) if not names]
    else:
        chosen = list(tracks)
    if tracks and not chosen:
        raise InputError(
            f"none of {len(tracks)} tracks has all of {', '.join(sources)}: choose others or "
            f"missing='silent'"
        )
    for track in chosen:
        track.groups(sources)
    if counts:
        logger.warning(
            "%d of %d tracks lack a stem (%s): %s",
            sum(map(bool, lacking)),
            len(tracks),
            ", ".join(f"{source} in {count}" for source, count in counts.items()),
            "it counts as silence" if missing == "silent" else "they are left out",
        )
    return chosen
