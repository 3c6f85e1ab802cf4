"""The report of `kerasep data check` as a self-contained HTML page."""

from collections import Counter, defaultdict

from kerasep.data.datasets.checking import Check
from kerasep.reports import plots
from kerasep.reports.rendering import render

_MOST_ROWS = 300
_MOST_NAMES = 16
_FLOOR_DB = -80.0


def check_page(check: Check) -> str:
    """Build the page of a data set check.

    Args:
        check: the result of `kerasep.data.check`.

    Returns:
        The page as text.

    Raises:
        InputError: if matplotlib or jinja2 is not installed.

    Example:
    ```python
    import kerasep
    from kerasep.reports.check_page import check_page

    kerasep.data.write_songs("songs", 3, seconds=1.0)
    assert "No problems" in check_page(kerasep.data.check("songs"))
    ```
    """
    contents = "Recordings of" if check.is_pool else "Tracks in"
    return render(
        "check.html",
        title=f"{contents} {check.folder.resolve().name}",
        lead=f"{check.layout}: {overview(check)}",
        facts={"folder": check.folder, "layout": check.layout, **facts(check)},
        problems=[
            {"kind": problem.kind, "where": problem.where, "what": problem.text}
            for problem in sorted(check.problems, key=lambda problem: problem.kind)
        ],
        plots=_plots(check),
        unit="group" if check.is_pool else "stem",
        summary=_summary(check),
        tracks=[] if check.is_pool else _tracks(check),
        most_rows=_MOST_ROWS,
    )


def overview(check: Check) -> str:
    """Return the size of a data set, such as "3 tracks, 12.5 min"."""
    if check.is_pool:
        name, count, groups = "recording", len(check.stems), f" of {len(check.tracks)} groups"
        usable = sum(not recording.error for recording in check.stems)
    else:
        name, count, groups = "track", len(check.tracks), ""
        usable = len(check.usable)
    unusable = f" ({count - usable} unusable)" if usable < count else ""
    return f"{count:,} {name}{'s' * (count != 1)}{groups}{unusable}, {duration(check.seconds)}"


def duration(seconds: float) -> str:
    """Return a duration as text, in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def facts(check: Check) -> dict[str, str]:
    """Return counts by sample rate, channels and split, such as "44100 Hz (12)"."""
    tracks = {(one.path if check.is_pool else one.track, one.split) for one in check.stems}
    rates = check.count("sample_rate").items()
    counters: dict[str, dict] = {
        "rates": {f"{rate} Hz": count for rate, count in rates},
        "channels": check.count("channels"),
        "splits": Counter(split for _, split in tracks if split),
    }
    return {
        title: ", ".join(f"{value} ({counter[value]:,})" for value in sorted(counter, key=str))
        for title, counter in counters.items()
        if counter
    }


def _summary(check):
    return [
        {
            "name": row["name"],
            "recordings": row["recordings"],
            "duration": duration(row["seconds"]),
            "median level, dBFS": row["level"],
            "highest peak, dBFS": row["peak"],
            "silent, %": 100 * row["silence"],
        }
        for row in check.summary()
    ]


def _tracks(check):
    stems_of_track = defaultdict(list)
    for stem in check.stems:
        stems_of_track[stem.track].append(stem)
    usable = set(check.usable)
    rows = []
    for track in check.tracks:
        stems = stems_of_track[track]
        row = {
            "track": track,
            "split": stems[0].split if stems else None,
            "stems": len(stems),
            "seconds": max((stem.seconds for stem in stems if not stem.error), default=None),
        }
        if check.sums:
            row["mixture above its difference from the stems' sum, dB"] = check.sums.get(track)
        rows.append(row | {"usable": "yes" if track in usable else "no"})
    return rows


def _plots(check):
    readable = [one for one in check.recordings if not one.error]
    if not readable:
        return {}
    groups = defaultdict(list)
    for one in readable:
        groups[one.track if check.is_pool else one.stem.split("/")[0]].append(one)
    if len(groups) > _MOST_NAMES:
        groups = {"all": readable}
    groups = dict(sorted(groups.items()))

    def measured(measure):
        return {name: [measure(one) for one in group] for name, group in groups.items()}

    return {
        "Durations": plots.histogram(
            _durations(check, readable), "recordings" if check.is_pool else "tracks"
        ),
        "Levels (RMS)": plots.boxes(measured(lambda one: max(one.rms_db, _FLOOR_DB)), "dBFS"),
        "Peaks": plots.boxes(measured(lambda one: max(one.peak_db, _FLOOR_DB)), "dBFS", line=0.0),
        "Silence": plots.boxes(measured(lambda one: 100 * one.silence), "% of the time"),
    }


def _durations(check, readable):
    if check.is_pool:
        return [one.seconds for one in readable]
    longest = defaultdict(float)
    for one in readable:
        longest[one.track] = max(longest[one.track], one.seconds)
    return list(longest.values())
