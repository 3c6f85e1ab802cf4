"""Scores as tables for a terminal of 80 columns."""

from rich import box
from rich.table import Table

from kerasep.evaluation.scores import ORACLES, bounded
from kerasep.metrics import MEASURES
from kerasep.system.console import cell


def score_tables(rows, measures):
    """Make a table of scores in dB for each measure, and a line that says what it means.

    Args:
        rows: list of dicts as `kerasep.evaluation.evaluate` and `summarise` give them.
        measures: names in `kerasep.metrics.MEASURES`.

    Returns:
        List of (line, `rich.table.Table`).

    Example:
    >>> [(line, table)] = score_tables([{"track": "a", "source": "bass", "usdr": 1.0}], ["usdr"])
    >>> table.row_count
    1
    """
    return [(f"{measure}: {MEASURES[measure]}", _table(rows, measure)) for measure in measures]


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
        median = row["track"].startswith("median of")
        style = "bold" if median else None
        table.add_row(cell(row["track"]), cell(row["source"]), *cells, style=style)
    return table
