"""The command `kerasep evaluate`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import (
    Consistent,
    Missing,
    ModelOption,
    Overwrite,
    Residual,
    Wiener,
    as_separator,
    check_output,
    trained,
)
from kerasep.cli.terminal import out, progress_bar, say, start_keras


def evaluate(
    model: ModelOption,
    data: Annotated[
        pathlib.Path, typer.Option(help="folder of tracks in any layout, or a manifest")
    ],
    csv: Annotated[pathlib.Path, typer.Option(help="CSV file for the whole table")] = pathlib.Path(
        "scores.csv"
    ),
    measures: Annotated[
        str,
        typer.Option(
            help="separated by commas: si_sdr, si_snr, sd_sdr, snr, usdr, bss_sdr, bss_isr, "
            "bss_sir, bss_sar; bss_eval for the last four"
        ),
    ] = "si_sdr,usdr",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    consistent: Consistent = False,
    oracles: Annotated[bool, typer.Option(help="score the ideal masks too")] = True,
    overwrite: Overwrite = False,
    missing: Missing = "refuse",
):
    """Score a model on a data set, and compare it with the mixture and the ideal masks.

    If the data set has test tracks, only these are scored.
    """
    start_keras()
    from kerasep import evaluation
    from kerasep.evaluation.score_tables import score_tables
    from kerasep.metrics import check_measures

    chosen = check_measures([name.strip() for name in measures.split(",")])
    check_output(csv, overwrite)
    separator = as_separator(trained(model), wiener_iterations, residual, consistent)
    with progress_bar("scoring") as progress:
        rows = evaluation.evaluate(
            separator,
            data,
            measures=chosen,
            oracles=oracles,
            progress=progress,
            missing=missing or "refuse",
        )
    evaluation.write_csv(rows, csv)
    for line, table in score_tables(rows + evaluation.summarise(rows), chosen):
        say(line)
        out.print(table)
    say(f"{csv}: {len(rows)} rows")
