"""The command `kerasep stream`."""

import contextlib
import math
import pathlib
import time
from typing import Annotated

import typer

from kerasep.cli.options import ModelOption, Overwrite, Residual, Track, check_models, trained
from kerasep.cli.terminal import say, start_keras
from kerasep.errors import InputError

_BLOCK_SECONDS = 0.01  # at least


def stream(
    model: ModelOption,
    source_in: Annotated[str, typer.Option("--in", help="an audio file, or microphone")],
    out: Annotated[str, typer.Option("--out", help="a folder, or speaker")],
    pace: Annotated[
        bool,
        typer.Option("--pace", help="read a file as fast as it plays, not faster"),
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(help="how long to listen to a microphone; default: until Ctrl-C")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="which source a speaker plays; default: the first")
    ] = None,
    residual: Residual = None,
    track: Track = None,
    overwrite: Overwrite = False,
):
    """Separate a file or a microphone in real time, with a causal model.

    Prints the latency, the load (processing time as a share of the audio's duration) and the
    drop-outs (blocks that took longer than they last, or that a device lost).
    """
    from kerasep.cli.sound_ends import file_blocks, folder_writer, microphone_blocks, speaker

    _check_ends(source_in, out, pace, seconds, source, track)
    streamer = _streamer(model, residual)
    rate, channels = streamer.sample_rate, streamer.channels
    samples = streamer.hop * math.ceil(_BLOCK_SECONDS * rate / streamer.hop)
    if source_in == "microphone":
        blocks = microphone_blocks(rate, channels, samples, seconds)
    else:
        blocks = file_blocks(pathlib.Path(source_in), rate, channels, samples, pace, track)
    if out == "speaker":
        opened = speaker(streamer.sources, source, rate, channels, samples)
    else:
        opened = folder_writer(pathlib.Path(out), streamer.sources, rate, channels, overwrite)
    say(
        f"latency {1000 * streamer.latency / rate:.0f} ms ({streamer.latency} samples at {rate} "
        f"Hz), blocks of {1000 * samples / rate:.1f} ms"
    )
    loads, lost = [], 0
    with opened as write:
        with contextlib.suppress(KeyboardInterrupt):
            for block, overflowed in blocks:
                start = time.perf_counter()
                separated = streamer.process(block)
                loads.append((time.perf_counter() - start) * rate / len(block))
                dry = write(separated)
                lost += bool(overflowed or dry or loads[-1] > 1)
        if not loads:
            raise InputError(f"received no audio from {source_in}")
        write(streamer.flush())
    say(
        f"{len(loads)} blocks: load {100 * sum(loads) / len(loads):.1f} % on average, "
        f"{100 * max(loads):.1f} % at most; {lost} drop-outs"
    )


def _check_ends(source_in, out, pace, seconds, source, track):
    """Raise if an option does not belong to the chosen ends, or the input file is missing."""
    microphone, speaker = source_in == "microphone", out == "speaker"
    for option, wrong, end in (
        ("--pace", pace and microphone, "--in a file"),
        ("--track", track is not None and microphone, "--in a file"),
        ("--seconds", seconds is not None and not microphone, "--in microphone"),
        ("--source", source is not None and not speaker, "--out speaker"),
    ):
        if wrong:
            raise InputError(f"received {option}, which is for {end}: leave it out")
    if seconds is not None and not 0 <= seconds < math.inf:
        raise InputError(f"received --seconds {seconds}, expected a number of seconds from 0 on")
    if not microphone:
        from kerasep.data.audio.audio_tracks import stream_of

        stream_of(source_in, track)


def _streamer(model, residual):
    if model.endswith(".tflite"):
        from kerasep.tflite import StreamRuntime

        if residual:
            raise InputError(
                "received --residual for a .tflite file, expected it when it was exported"
            )
        return StreamRuntime(model)
    check_models([model])
    start_keras()
    from kerasep.separation import as_separator
    from kerasep.streaming import Streamer

    streamer = Streamer(as_separator(trained(model), residual=residual))
    streamer.warm_up()
    return streamer
