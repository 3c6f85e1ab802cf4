"""The command `kerasep show`."""

from typing import Annotated

import typer

from kerasep.cli.terminal import out, say, say_lines, start_keras


def show(name: Annotated[str, typer.Argument(help="a preset's name")]):
    """Show a preset: its arguments and training recipe as JSON, and a summary of its graph."""
    start_keras()
    from kerasep import zoo

    card = zoo.describe(name)
    say(f"{card['name']}: {card['description']}")
    say("")
    out.print_json(data={key: card[key] for key in card if key not in ("name", "description")})
    say("")
    zoo.load(name, weights=False).summary(print_fn=say_lines)
