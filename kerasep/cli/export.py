"""The command `kerasep export`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import (
    Consistent,
    ModelOption,
    Overwrite,
    Residual,
    Wiener,
    as_separator,
    check_models,
    trained,
    without_none,
)
from kerasep.cli.terminal import out, say_lines, start_keras
from kerasep.errors import InputError


def export(
    model: ModelOption,
    out_file: Annotated[pathlib.Path, typer.Option("--out", help="the .tflite file")],
    mode: Annotated[
        str,
        typer.Option(
            help="separate: waveform to waveforms; mask: the network only, on magnitudes; "
            "streaming: a causal model frame by frame"
        ),
    ] = "separate",
    seconds: Annotated[
        float | None,
        typer.Option(
            help="length of the waveform that the file takes; not for streaming; default: 6, or "
            "what the model was made for"
        ),
    ] = None,
    quantization: Annotated[
        str | None,
        typer.Option(help="weights as float16, int8 or weight_int8; default: float32"),
    ] = None,
    check: Annotated[bool, typer.Option(help="compare with Keras before writing")] = True,
    tracks: Annotated[
        pathlib.Path | None,
        typer.Option(help="folder of tracks on which the change in SI-SDR is measured"),
    ] = None,
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    consistent: Consistent = None,
    overwrite: Overwrite = False,
):
    """Export a model as a .tflite file, by default waveform to waveforms, checked against Keras."""
    from kerasep import tflite

    if model.endswith(".tflite"):
        if quantization is None:
            raise InputError(
                f"received --model {model}, which is exported already: pass the model itself, or a "
                f"--quantization for the file"
            )
        fixed = seconds or tracks or wiener_iterations or residual or consistent is not None
        if mode != "separate" or not check or fixed:
            raise InputError(
                f"received --model {model}, which is exported already, expected only "
                f"--quantization and --out: export the model again to change the rest"
            )
        say_lines(str(tflite.quantize(model, out_file, quantization, overwrite=overwrite)))
        return
    if seconds is not None and mode == "streaming":
        raise InputError(
            "received --seconds with --mode streaming, whose files take blocks of any length: "
            "leave --seconds out"
        )
    if mode == "mask":
        consistent = bool(consistent)  # the network alone has no mixture to add up to
    check_models([model])
    start_keras()
    separator = as_separator(trained(model), wiener_iterations, residual, consistent)
    with out.status("converting and comparing with Keras"):
        report = tflite.export(
            separator,
            out_file,
            mode=mode,
            quantization=quantization,
            check=check,
            tracks=tracks,
            overwrite=overwrite,
            **without_none(seconds=seconds),
        )
    say_lines(str(report))
