"""The command `kerasep show`."""

import json
import textwrap
from importlib import resources
from typing import Annotated

import typer

from kerasep.cli.options import complete_presets
from kerasep.cli.terminal import say, say_lines, start_keras
from kerasep.errors import InputError
from kerasep.zoo.published_sets import is_downloadable

_WIDTH, _INDENT = 80, 14


def show(
    name: Annotated[str, typer.Argument(help="a preset's name", autocompletion=complete_presets)],
    as_json: Annotated[
        bool, typer.Option("--json", help="print arguments, recipe and weights as JSON")
    ] = False,
    graph: Annotated[bool, typer.Option("--graph", help="print the layers of the network")] = False,
):
    """Show the card of a preset: what it separates, size, weights, scores and how to use it."""
    from kerasep import zoo

    if as_json and graph:
        raise InputError("received --json and --graph, expected one of them")
    card = zoo.describe(name)
    if as_json:
        typer.echo(json.dumps(card, indent=2))
        return
    if graph:
        start_keras()
        zoo.load(name, weights=False).summary(print_fn=say_lines)
        return
    for line in card_lines(card):
        say(line)


def card_lines(card: dict) -> list[str]:
    """Return the lines of a preset's card, of at most 80 columns."""
    arguments, size = card["arguments"], card["size"]
    rate, channels = arguments["sample_rate"], arguments["channels"]
    sound = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    lines = [card["name"], *textwrap.wrap(card["description"], _WIDTH), ""]
    lines += _item("separates", ", ".join(arguments["sources"]))
    lines += _item("audio", f"{rate / 1000:g} kHz, {sound}; other recordings are converted")
    if size:
        lines += _item("size", f"{size['parameters'] / 1e6:.2f} million parameters")
        cost = f"{size['macs'] / 1e9:.2f} billion multiply-adds per second of audio"
        lines += _item("cost", cost)
        lines += _item("latency", _latency(size.get("latency"), rate))
    if not card["weights"]:
        lines += _item("weights", "none: train it first")
    for name, weights in card["weights"].items():
        lines += _weights(name, weights)
    return [*lines, "", *_commands(card)]


def _latency(samples, rate):
    if samples is None:
        return "uses the recording as a whole: not for live use"
    return f"{1000 * samples / rate:.0f} ms: works live (kerasep stream)"


def _weights(name, weights):
    lines = _item("weights", f"{name}: {_place(weights)}")
    lines += _item("  licence", weights["licence"])
    lines += _item("  trained on", weights["data"])
    if "reported" in weights:
        lines += _item("  reported", _reported(weights["reported"]))
    if "scores" not in weights:
        return lines
    scores = weights["scores"]
    measured = ", ".join(
        f"{source} {score:.2f} dB" for source, score in scores["si_sdr_improvement"].items()
    )
    text = f"SI-SDR improvement over the mixture, mean over tracks: {measured}; on {scores['data']}"
    return lines + _item("  scores", text)


def _reported(scores):
    values = ", ".join(f"{source} {score:.2f} dB" for source, score in scores["values"].items())
    return f"{scores['measure']}: {values}; on {scores['data']}; by {scores['source']}"


def _place(weights):
    if is_downloadable(weights):
        return f"downloaded on request from {weights['origin']}"
    if "files" in weights:
        addresses = ", ".join(file["url"] for file in weights["files"].values())
        return f"no known checksum: fetch {addresses} by hand, then kerasep import"
    with resources.as_file(resources.files("kerasep.zoo") / "weights" / weights["file"]) as path:
        return f"in the package, {path.stat().st_size / 1e6:.1f} MB"


def _commands(card):
    name = card["name"]
    file = name.replace("/", "_")
    is_trained = any(
        "file" in weights or is_downloadable(weights) for weights in card["weights"].values()
    )
    model = name if is_trained else "run"
    train = f"kerasep train {name} --data songs --out run"
    use = f"kerasep separate song.mp3 --model {model}"
    export = f"kerasep export --model {model} --out {file}.tflite"
    if card["size"].get("latency") is not None:
        export += " --mode streaming"
    return [use, export, train] if is_trained else [train, use, export]


def _item(label, text):
    indent = " " * _INDENT
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"{label:<{_INDENT}}",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
