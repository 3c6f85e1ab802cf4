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
    html: Annotated[pathlib.Path | None, typer.Option(help="file for a page with plots")] = None,
    csv: Annotated[
        pathlib.Path | None,
        typer.Option(help="file for a table with one line per recording"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="fail if there is any problem")] = False,
    overwrite: Overwrite = False,
):
    """Read a whole data set, and report its contents and problems.

    Prints the recognised layout, tracks, hours, rates, channels, levels and silence. Then one line
    per problem: recordings that are unreadable, clipped, silent or duplicated, mixtures that
    differ from the sum of their stems, and stems that differ within a track. Fails if nothing is
    usable.
    """
    from kerasep.data.datasets import checking
    from kerasep.reports import check_page, report
    from kerasep.reports.rendering import check_installed

    for path in (html, csv):
        if path is not None:
            check_output(path, overwrite)
    if html is not None:
        # Checked now, not after an hour of reading.
        check_installed()
    with progress_bar("reading") as progress:
        check = checking.check(folder, progress)
    say(f"{folder}: {check.layout}, {check_page.overview(check)}")
    for title, text in check_page.facts(check).items():
        say(f"{title}: {text}")
    out.print(_table(check))
    for problem in check.problems:
        say(f"{problem.kind}: {problem}")
    kinds = ", ".join(
        f"{count:,} {kind}" for kind, count in Counter(p.kind for p in check.problems).items()
    )
    say(f"problems: {kinds or 'none'}")
    if csv is not None:
        checking.write_csv(check, csv)
        say(f"{csv}: {len(check.recordings):,} recordings")
    if html is not None:
        report.write_page(check_page.check_page(check), html)
        say(f"open {html} in a browser")
    if not check.usable:
        raise InputError(f"{folder} has nothing usable: see the problems above")
    if strict and check.problems:
        raise InputError(f"{folder} has {len(check.problems)} problems, expected none (--strict)")


def _table(check):
    from kerasep.reports.check_page import duration

    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("group" if check.is_pool else "stem", overflow="fold")
    for title in ("recordings", "duration", "level dBFS", "peak dBFS", "silent"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in check.summary():
        table.add_row(
            cell(row["name"]),
            f"{row['recordings']:,}",
            duration(row["seconds"]),
            f"{row['level']:.1f}",
            f"{row['peak']:.1f}",
            f"{row['silence']:.0%}",
        )
    return table
