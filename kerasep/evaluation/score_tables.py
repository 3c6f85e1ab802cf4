"""Tables of scores: medians, CSV files, and tables for a terminal of 80 columns."""

import math
import os
import statistics
from collections.abc import Sequence

from rich import box
from rich.table import Table

from kerasep.errors import InputError
from kerasep.evaluation.oracles import ORACLES
from kerasep.files.text_files import write_table
from kerasep.metrics import MEASURES, unit
from kerasep.system.console import cell

# In dB. Higher ones, up to infinity, are rounding errors, and would leave no finite mean.
LIMIT = 100.0


def summarise(rows: list[dict]) -> list[dict]:
    """Compute the median over tracks of every score, for each source.

    Args:
        rows: What `evaluate` returns.

    Returns:
        List of dicts, one per source, with "median of N" as `track`. A median leaves out tracks
        without a score. It is None if no track has one.

    Raises:
        InputError: There are no rows.

    Example:
    >>> summarise([{"track": "a", "source": "bass", "si_sdr": 1.0}])
    [{'track': 'median of 1', 'source': 'bass', 'si_sdr': 1.0}]
    """
    if not rows:
        raise InputError("received no scores, expected those of at least one track")
    summary = []
    for source in dict.fromkeys(row["source"] for row in rows):
        of_source = [row for row in rows if row["source"] == source]
        medians = {"track": f"median of {len(of_source)}", "source": source}
        for key in list(of_source[0])[2:]:
            scores = [bounded(row[key]) for row in of_source]
            known = [score for score in scores if score is not None]
            medians[key] = statistics.median(known) if known else None
        summary.append(medians)
    return summary


def bounded(score: float | None) -> float | None:
    """Return a score as tables show it: None for NaN, and no more than 100 either way.

    Args:
        score: In its unit, or None.

    Returns:
        A finite number, or None.

    Example:
    >>> bounded(float("inf")), bounded(float("nan")), bounded(-3.0)
    (100.0, None, -3.0)
    """
    if score is None or math.isnan(score):
        return None
    return max(-LIMIT, min(LIMIT, score))


def write_csv(rows: list[dict], path: str | os.PathLike) -> None:
    """Write a table of scores, with three decimals. Missing scores are empty.

    Args:
        rows: List of dicts with the same keys.
        path: The file, replaced if it exists.

    Raises:
        InputError: The file cannot be written. An existing file stays as it was.

    Example:
    ```python
    from kerasep.evaluation import write_csv

    write_csv([{"track": "a", "source": "bass", "si_sdr": 1.0}], "scores.csv")
    ```
    """
    write_table(path, [{key: _decimals(value) for key, value in row.items()} for row in rows])


def score_tables(rows: list[dict], measures: Sequence[str]) -> list[tuple[str, Table]]:
    """Return for each measure a line that explains it, and a table of its scores."""
    return [(f"{measure}: {MEASURES[measure]}", _table(rows, measure)) for measure in measures]


def improvement_lines(rows: list[dict], measures: Sequence[str]) -> list[str]:
    """Return a line per measure: mean and median improvement over the mixture per source."""
    lines = []
    for measure in measures:
        key = f"{measure}_improvement"
        parts = []
        for source in dict.fromkeys(row["source"] for row in rows):
            scores = [bounded(row.get(key)) for row in rows if row["source"] == source]
            known = [score for score in scores if score is not None]
            if known:
                mean, median = statistics.mean(known), statistics.median(known)
                parts.append(f"{source} {mean:.2f} / {median:.2f}")
        if parts:
            count = len({row["track"] for row in rows})
            in_unit = f" in {unit(measure)}" if unit(measure) else ""
            tracks = f"{count} track{'s' if count > 1 else ''}"
            lines.append(
                f"{measure} improvement over the mixture{in_unit}, mean / median of {tracks}: "
                f"{', '.join(parts)}"
            )
    return lines


def _decimals(value):
    score = bounded(value) if isinstance(value, float) else value
    return f"{score:.3f}" if isinstance(score, float) else score


def _table(rows, measure):
    titles = {measure: measure, f"{measure}_improvement": "over mixture"}
    titles |= {f"{oracle}_{measure}": oracle for oracle in ORACLES}
    keys = [key for key in titles if key in rows[0]]
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("track", overflow="fold")
    table.add_column("source", overflow="fold")
    for key in keys:
        table.add_column(titles[key], justify="right", no_wrap=True)
    for row in rows:
        scores = [bounded(row[key]) for key in keys]
        cells = ["-" if score is None else f"{score:.2f}" for score in scores]
        style = "bold" if row["track"].startswith("median of") else None
        table.add_row(cell(row["track"]), cell(row["source"]), *cells, style=style)
    return table
