"""The command `kerasep list`."""

import json
import statistics
from typing import Annotated

import typer

from kerasep.cli.terminal import say
from kerasep.zoo.published_sets import is_downloadable

_LEGEND = """\
M     parameters, in millions
G/s   multiply-adds per second of audio, in billions (10^9)
kHz   sample rate;  ch  channels, 1 mono, 2 stereo;  n  number of sources
ms    latency of a model that works live
dB    SI-SDR improvement over the mixture, mean over tracks and sources, on the
      data that kerasep show NAME names: not comparable from data to data
*     trained weights come with the package
+     weights that others published are downloaded on request
-     others published weights, to be fetched by hand: kerasep list --published
The licence is that of the weights; research: research use only."""
_PUBLISHED_LEGEND = """\
MB    size of all files, where it is known
dB    score that its author or others report, mean over sources: SDR, or SI-SDR
      improvement for speakers; not comparable from data to data
-     the checksum is not known: fetch it by hand, then kerasep import
kerasep show PRESET names addresses, and data and source of the scores.
The licence is that of the weights, as their author states it.
Load a set by zoo.load(PRESET, weights=NAME); the first one by weights=True."""


def list_entries(
    as_json: Annotated[
        bool, typer.Option("--json", help="print all that is known of each preset, as JSON")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="list the weights that others published instead")
    ] = False,
):
    """List the presets of the zoo: size, cost, sample rate, latency, score and licence."""
    from kerasep import zoo

    if published:
        _list_published(zoo.catalogue(), as_json)
        return
    cards = [zoo.describe(name) for name in zoo.list_entries()]
    if as_json:
        typer.echo(json.dumps([_about(card) for card in cards], indent=2))
        return
    say(_row("preset", "M", "G/s", "kHz", "ch", "n", "ms", "dB", "licence"))
    for card in cards:
        arguments, size, weights = card["arguments"], card["size"], card["weights"]
        rate, latency = arguments["sample_rate"], size.get("latency")
        row = _row(
            card["name"] + _mark(weights),
            _short(size["parameters"] / 1e6) if size else "",
            _short(size["macs"] / 1e9) if size else "",
            f"{rate / 1000:.3g}",
            arguments["channels"],
            len(arguments["sources"]),
            f"{1000 * latency / rate:.0f}" if latency else "",
            _short(mean_score(card)),
            next((_licence(entry["licence"]) for entry in weights.values()), ""),
        )
        say(row)
    say("")
    for line in _LEGEND.splitlines():
        say(line)


def _list_published(rows, as_json):
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    say(_published_row("preset", "weights", "MB", "dB", "licence"))
    for row in rows:
        scores = (row["reported"] or {}).get("values")
        line = _published_row(
            row["preset"],
            row["name"] + ("" if row["downloadable"] else "-"),
            f"{row['bytes'] / 1e6:.0f}" if row["bytes"] else "",
            f"{statistics.mean(scores.values()):.1f}" if scores else "",
            _licence(row["licence"]),
        )
        say(line)
    say("")
    for line in _PUBLISHED_LEGEND.splitlines():
        say(line)


def _published_row(preset, name, size, score, licence):
    """Return a line of at most 80 columns."""
    return f"{preset:<30} {name:<16} {size:>4} {score:>5}  {licence}".rstrip()


def _row(name, parameters, work, rate, channels, sources, latency, score, licence):
    """Return a line of at most 80 columns."""
    sizes = (
        f"{parameters:>4} {work:>4} {rate:>4} {channels:>2} {sources:>1} {latency:>4} {score:>4}"
    )
    return f"{name:<38}{sizes}  {licence}".rstrip()


def _short(value):
    """Return a number in four characters."""
    if value is None:
        return ""
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"


def _licence(text):
    text = text.split(",")[0].removesuffix(" 4.0").removesuffix(" 1.0")
    short = {"research use only": "research", "as stated at the origin": "at origin"}
    return short.get(text, text)


def mean_score(card: dict) -> float | None:
    """Return the SI-SDR improvement of a preset's weights in dB, mean over sources, or None."""
    for weights in card["weights"].values():
        if "scores" in weights:
            return statistics.mean(weights["scores"]["si_sdr_improvement"].values())
    return None


def _mark(weights):
    if any("file" in entry for entry in weights.values()):
        return "*"
    if any(map(is_downloadable, weights.values())):
        return "+"
    return "-" if weights else ""


def _about(card):
    arguments, size = card["arguments"], card["size"]
    latency = size.get("latency")
    return {
        "name": card["name"],
        "description": card["description"],
        "sources": arguments["sources"],
        "sample_rate": arguments["sample_rate"],
        "channels": arguments["channels"],
        "parameters": size.get("parameters"),
        "multiply_adds_per_second": size.get("macs"),
        "latency_seconds": None if latency is None else latency / arguments["sample_rate"],
        "weights": {
            name: {
                "licence": weights["licence"],
                "data": weights["data"],
                "in_package": "file" in weights,
                "scores": weights.get("scores"),
            }
            for name, weights in card["weights"].items()
        },
    }
