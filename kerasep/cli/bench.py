"""The command `kerasep bench`."""

import pathlib
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from kerasep.cli.options import Overwrite, check_output
from kerasep.cli.terminal import out, progress_bar, say
from kerasep.files.text_files import write_table

COLUMNS = {
    "runtime": ("runtime", ""),
    "threads": ("threads", "d"),
    "median_ms": ("ms", ".1f"),
    "least_ms": ("least", ".1f"),
    "real_time": ("real time", ".4f"),
    "latency_ms": ("latency", ".1f"),
    "peak_mb": ("memory", ".0f"),
    "file_mb": ("file", ".2f"),
    "operations": ("ops", "d"),
}


def bench(
    model: Annotated[pathlib.Path, typer.Argument(help="a .tflite file")],
    threads: Annotated[
        list[int] | None, typer.Option(help="number of threads; may be repeated")
    ] = None,
    rounds: Annotated[int, typer.Option(help="fresh processes per setting")] = 3,
    runs: Annotated[int, typer.Option(help="chunks timed per process")] = 5,
    native: Annotated[
        pathlib.Path | None,
        typer.Option(help="path of kerasep-native, to measure the C library too"),
    ] = None,
    csv_file: Annotated[
        pathlib.Path | None, typer.Option("--csv", help="also write the table to this file")
    ] = None,
    overwrite: Overwrite = False,
):
    """Measure an exported file on this machine: time per chunk, memory, size.

    Each setting runs in fresh processes, which take turns. The table shows the median of their
    medians, and the shortest time of all.
    """
    if csv_file is not None:
        check_output(csv_file, overwrite)
    from kerasep import tflite

    with progress_bar(model.name) as progress:
        rows = tflite.bench(
            model, threads or (1,), rounds=rounds, runs=runs, native=native, progress=progress
        )
    chunk = rows[0]["chunk_ms"] / 1000
    say(f"for a chunk of {chunk:.3f} s; times in ms, memory and file in MB")
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for heading, _ in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            *[
                "-" if row[key] is None else format(row[key], form)
                for key, (_, form) in COLUMNS.items()
            ]
        )
    out.print(table)
    if csv_file is not None:
        write_table(csv_file, rows)
