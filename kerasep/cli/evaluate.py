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
    check_models,
    check_output,
    trained,
)
from kerasep.cli.terminal import out, progress_bar, say, start_keras


def evaluate(
    model: ModelOption,
    data: Annotated[
        pathlib.Path, typer.Option(help="folder of tracks in any layout, or a manifest")
    ],
    out_file: Annotated[
        pathlib.Path | None,
        typer.Option("--out", "--csv", help="CSV file for all scores; default: none is written"),
    ] = None,
    measures: Annotated[
        str,
        typer.Option(
            help="separated by commas: si_sdr, si_snr, sd_sdr, snr, usdr, bss_sdr, bss_isr, "
            "bss_sir, bss_sar; bss_eval for the last four; of speech pesq_wb, pesq_nb, stoi, estoi "
            "and dnsmos, which is dnsmos_sig, dnsmos_bak and dnsmos_ovrl"
        ),
    ] = "si_sdr,usdr",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    consistent: Consistent = None,
    oracles: Annotated[bool, typer.Option(help="score the ideal masks too")] = True,
    overwrite: Overwrite = False,
    missing: Missing = "refuse",
):
    """Score a model on a data set, and compare it with the mixture and the ideal masks.

    There is a table per measure, and for each source how much the model improves the measure over
    the mixture, mean and median over the tracks. Scores are in dB, except those of speech.
    If the data set has test tracks, only these are scored.
    """
    if out_file is not None:
        check_output(out_file, overwrite)
    check_models([model])
    start_keras()
    from kerasep import evaluation
    from kerasep.evaluation.score_tables import improvement_lines, score_tables
    from kerasep.metrics import check_measures

    chosen = check_measures([name.strip() for name in measures.split(",")])
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
    if out_file is not None:
        evaluation.write_csv(rows, out_file)
    for line, table in score_tables(rows + evaluation.summarise(rows), chosen):
        say(line)
        out.print(table)
    for line in improvement_lines(rows, chosen):
        say(line)
    if out_file is not None:
        say(f"{out_file}: {len(rows)} rows")
