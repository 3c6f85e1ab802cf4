"""The command `kerasep export`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import ModelOption, Overwrite, Residual, Wiener, as_separator, trained
from kerasep.cli.terminal import out, say, start_keras
from kerasep.errors import InputError


def export(
    model: ModelOption,
    out_file: Annotated[pathlib.Path, typer.Option("--out", help="the .tflite file")],
    seconds: Annotated[float, typer.Option(help="length of the waveform that it takes")] = 6.0,
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    overwrite: Overwrite = False,
):
    """Export a model as a .tflite file from waveform to waveforms, checked against Keras."""
    start_keras()
    from kerasep import tflite

    if model.endswith(".tflite"):
        raise InputError(f"received --model {model}, which is exported already: give the model")
    separator = as_separator(trained(model), wiener_iterations, residual)
    with out.status("converting and comparing with Keras"):
        report = tflite.export(separator, out_file, seconds, overwrite=overwrite)
    say(str(report))
