"""The command `kerasep data check`."""

import pathlib
from collections import Counter
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from kerasep.cli.options import Overwrite, check_output
from kerasep.cli.terminal import out, progress_bar, say
from kerasep.errors import InputError
from kerasep.system.console import cell


def data_check(
    folder: Annotated[pathlib.Path, typer.Argument(help="the data set, or a manifest")],
    html: Annotated[pathlib.Path | None, typer.Option(help="gets a page with plots")] = None,
    csv: Annotated[
        pathlib.Path | None, typer.Option(help="gets a table with a line for each recording")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="fail if there is any problem")] = False,
    overwrite: Overwrite = False,
):
    """Read a whole data set and say what is in it, and what is wrong with it.

    The layout that was recognised, tracks, hours, rates, channels, levels and silence; then a line
    for each problem: what cannot be read, is clipped or silent, is there twice, does not add up to
    its mixture or differs within a track. It fails if nothing is usable.
    """
    from kerasep.data.datasets import checking
    from kerasep.reports import check_page, report
    from kerasep.reports.rendering import require

    for path in (html, csv):
        if path is not None:
            check_output(path, overwrite)
    if html is not None:
        # Checked now, not after an hour of reading.
        require("jinja2")
        require("matplotlib")
    with progress_bar("reading") as progress:
        found = checking.check(folder, progress)
    say(f"{folder}: {found.layout}, {check_page.overview(found)}")
    for title, text in check_page.facts(found).items():
        say(f"{title}: {text}")
    out.print(_table(found))
    for problem in found.problems:
        say(f"{problem.kind}: {problem}")
    kinds = ", ".join(
        f"{count:,} {kind}" for kind, count in Counter(p.kind for p in found.problems).items()
    )
    say(f"problems: {kinds or 'none'}")
    if csv is not None:
        checking.write_csv(found, csv)
        say(f"{csv}: {len(found.recordings):,} recordings")
    if html is not None:
        report.write_page(check_page.check_page(found), html)
        say(f"open {html} in a browser")
    if not found.usable:
        raise InputError(f"{folder} has nothing that can be used: see the problems above")
    if strict and found.problems:
        raise InputError(f"{folder} has {len(found.problems)} problems, expected none (--strict)")


def _table(found):
    from kerasep.reports.check_page import duration

    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("group" if found.is_pool else "stem", overflow="fold")
    for title in ("recordings", "duration", "level dBFS", "peak dBFS", "silent"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in found.summary():
        table.add_row(
            cell(row["name"]),
            f"{row['recordings']:,}",
            duration(row["seconds"]),
            f"{row['level']:.1f}",
            f"{row['peak']:.1f}",
            f"{row['silence']:.0%}",
        )
    return table
