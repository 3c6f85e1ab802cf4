"""The command `kerasep list`."""

from rich import box
from rich.table import Table
from rich.text import Text

from kerasep.cli.terminal import out, start_keras


def list_entries():
    """List the presets of the zoo with their sources, size and cost.

    Weights are in millions, work is in billions of multiply-adds per second of audio, and latency
    is that of a causal model. A star marks presets with published weights.
    """
    start_keras()
    from kerasep import zoo

    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("preset", no_wrap=True)
    for heading in ("weights", "work", "audio", "latency"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("sources")  # cut first on a narrow terminal
    for name in zoo.list_entries():
        card = zoo.describe(name)
        arguments, size = card["arguments"], card["size"]
        rate, latency = arguments["sample_rate"], size.get("latency")
        table.add_row(
            name + "*" * bool(card["weights"]),
            f"{size['parameters'] / 1e6:.2f}" if size else "",
            f"{size['macs'] / 1e9:.2f}" if size else "",
            f"{rate / 1000:.3g} kHz x{arguments['channels']}",
            f"{1000 * latency / rate:.0f} ms" if latency else "",
            Text(
                f"{len(arguments['sources'])}: {' '.join(arguments['sources'])}",
                no_wrap=True,
                overflow="ellipsis",
            ),
        )
    out.print(table)
