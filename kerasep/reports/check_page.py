"""What a look over a data set found, as one self-contained HTML page."""

import math
from collections import Counter

from kerasep.reports import report
from kerasep.system.names import html_text, one_line, picture_text

_INK, _ACCENT, _ALERT = "#30343b", "#2a78d6", "#c8553d"
_MOST_ROWS = 300
_MOST_NAMES = 16
_FLOOR = -80.0


def check_page(found):
    """Make the page of a check.

    Args:
        found: a `kerasep.data.datasets.checking.Check`.

    Returns:
        The page as text.

    Raises:
        InputError: where matplotlib is not installed.

    Example:
    ```python
    import kerasep
    from kerasep.reports.check_page import check_page

    kerasep.data.write_songs("songs", 3, seconds=1.0)
    assert "No problems" in check_page(kerasep.data.check("songs"))
    ```
    """
    kind = "recordings of" if found.is_pool else "tracks in"
    lead = f"{found.layout}: {overview(found)}"
    sections = [
        (
            "Overview",
            report.facts({"folder": found.folder, "layout": found.layout, **facts(found)}),
        ),
        ("Problems", _problems(found)),
        ("Levels and lengths", _plots(found)),
        ("By group" if found.is_pool else "By stem", report.table(_summary(found))),
    ]
    if not found.is_pool:
        sections.append(("Tracks", _tracks(found)))
    return report.page(f"{kind.capitalize()} {found.folder.resolve().name}", lead, sections)


def overview(found):
    """Say in one line how much there is.

    Args:
        found: a `kerasep.data.datasets.checking.Check`.

    Returns:
        Text such as "3 tracks, 12.5 min".
    """
    count = len(found.stems) if found.is_pool else len(found.tracks)
    usable = sum(not one.error for one in found.stems) if found.is_pool else len(found.usable)
    what = "recording" if found.is_pool else "track"
    groups = f" of {len(found.tracks)} groups" if found.is_pool else ""
    left = f" ({count - usable} unusable)" if usable < count else ""
    return f"{count:,} {what}{'s' * (count != 1)}{groups}{left}, {duration(found.seconds)}"


def duration(seconds):
    """Say a duration in the unit that suits it.

    Example:
    >>> duration(6.8), duration(3000), duration(360000)
    ('6.8 s', '50.0 min', '100.0 h')
    """
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def facts(found):
    """Count the recordings by rate and channels, and the tracks by split.

    Args:
        found: a `kerasep.data.datasets.checking.Check`.

    Returns:
        Dict from a title to text.
    """
    units = {(one.path if found.is_pool else one.track, one.split) for one in found.stems}
    splits = Counter(split for _, split in units if split)
    counts = {
        "rates": {f"{rate} Hz": count for rate, count in found.count("sample_rate").items()},
        "channels": found.count("channels"),
        "splits": splits,
    }
    return {
        title: ", ".join(f"{value} ({each[value]:,})" for value in sorted(each, key=str))
        for title, each in counts.items()
        if each
    }


def _problems(found):
    if not found.problems:
        return "<p>No problems were found.</p>"
    rows = [
        {"kind": one.kind, "where": one.where, "what": one.text}
        for one in sorted(found.problems, key=lambda one: one.kind)[:_MOST_ROWS]
    ]
    return f'<div class="words">{report.table(rows)}</div>{_more(len(found.problems))}'


def _summary(found):
    return [
        {
            "name": row["name"],
            "recordings": row["recordings"],
            "duration": duration(row["seconds"]),
            "median level, dBFS": row["level"],
            "highest peak, dBFS": row["peak"],
            "silent, %": 100 * row["silence"],
        }
        for row in found.summary()
    ]


def _tracks(found):
    of_track = {name: [] for name in found.tracks}
    for one in found.stems:
        of_track[one.track].append(one)
    usable = set(found.usable)
    rows = []
    for name, stems in of_track.items():
        row = {
            "track": name,
            "split": stems[0].split or "-",
            "stems": len(stems),
            "seconds": max((one.seconds for one in stems if not one.error), default=None),
        }
        if found.sums:
            row["mixture above its difference from the stems' sum, dB"] = found.sums.get(name)
        rows.append(row | {"usable": "yes" if name in usable else "no"})
    return report.table(rows[:_MOST_ROWS]) + _more(len(rows))


def _more(count):
    if count <= _MOST_ROWS:
        return ""
    return f"<p>{count - _MOST_ROWS:,} more are not shown; the CSV file has all recordings.</p>"


def _plots(found):
    readable = [one for one in found.recordings if not one.error]
    if not readable:
        return "<p>Nothing can be read.</p>"
    names = {}
    for one in readable:
        name = one.track if found.is_pool else one.stem.split("/")[0]
        names.setdefault(name, []).append(one)
    if len(names) > _MOST_NAMES:
        names = {"all": readable}
    names = dict(sorted(names.items()))
    levels = {name: [_floored(one.rms_db) for one in ones] for name, ones in names.items()}
    peaks = {name: [_floored(one.peak_db) for one in ones] for name, ones in names.items()}
    silence = {name: [100 * one.silence for one in ones] for name, ones in names.items()}
    figures = {
        "Durations": _histogram(_durations(found, readable), found.is_pool),
        "Levels (RMS)": _boxes(levels, "dBFS"),
        "Peaks": _boxes(peaks, "dBFS", line=0.0),
        "Silence": _boxes(silence, "% of the time"),
    }
    return (
        '<div class="grid wide">'
        + "".join(
            f"<figure><figcaption>{title}</figcaption>"
            f'<img alt="{html_text(title)}" src="{report.png(figure)}"></figure>'
            for title, figure in figures.items()
        )
        + "</div>"
    )


def _durations(found, readable):
    if found.is_pool:
        return [one.seconds for one in readable]
    longest = {}
    for one in readable:
        longest[one.track] = max(longest.get(one.track, 0.0), one.seconds)
    return list(longest.values())


def _histogram(seconds, is_pool):
    figure = report.new_figure(5.2, 2.8)
    axes = _plain_axes(figure)
    axes.hist(seconds, bins=min(40, max(5, round(math.sqrt(len(seconds))))), color=_ACCENT)
    axes.set_xlabel("seconds")
    axes.set_ylabel("recordings" if is_pool else "tracks")
    axes.yaxis.get_major_locator().set_params(integer=True)
    return figure


def _boxes(values, unit, line=None):
    """Draw a box from quartile to quartile for each name, with whiskers and what lies outside."""
    figure = report.new_figure(5.2, max(2.8, 0.26 * len(values) + 0.9))
    axes = _plain_axes(figure)
    axes.boxplot(
        list(values.values())[::-1],
        orientation="horizontal",
        widths=0.55,
        patch_artist=True,
        boxprops={"facecolor": "#2a78d633", "edgecolor": _ACCENT},
        medianprops={"color": _ACCENT, "linewidth": 2},
        whiskerprops={"color": _ACCENT},
        capprops={"color": _ACCENT},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": _INK, "alpha": 0.5},
    )
    axes.set_yticklabels([_short(name) for name in values][::-1])
    axes.set_xlabel(unit)
    if line is not None:
        axes.axvline(line, color=_ALERT, linewidth=1)
    return figure


def _short(name):
    name = one_line(name)
    return picture_text(name if len(name) < 18 else f"{name[:16]}...")


def _plain_axes(figure):
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    return axes


def _floored(decibels):
    return max(decibels, _FLOOR)
