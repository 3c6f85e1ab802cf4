"""The reference of the command line, from the signatures and docstrings of the commands."""

import inspect
import pathlib
import re
import typing

from kerasep.cli import app as commands


def setup(app):
    """Write the page before Sphinx looks for pages."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}


def _write(app):
    page = pathlib.Path(app.srcdir) / "reference" / "generated" / "commands.md"
    page.parent.mkdir(exist_ok=True)
    text = "\n".join(["# The command line\n", *_sections()])
    if not page.exists() or page.read_text("utf-8") != text:
        page.write_text(text, "utf-8")


def _sections():
    yield "`kerasep COMMAND --help` prints the same. Exit status: 0 for success, 1 if some files of"
    yield "an archive failed (they are listed), 2 for an error (one line says how to fix it), and"
    yield "130 if the command was stopped.\n"
    for name, function in _commands(commands):
        parameters = inspect.signature(function).parameters.values()
        named = [(_names(parameter), parameter) for parameter in parameters]
        required = [
            re.sub(" / -.", "", names)
            for names, parameter in named
            if parameter.default is parameter.empty
        ]
        options = ["[OPTIONS]"] if len(required) < len(named) else []
        usage = " ".join([f"kerasep {name}", *required, *options])
        yield f"## {name}\n\n```text\n{usage}\n```\n\n{_text(inspect.getdoc(function))}\n"
        for names, parameter in named:
            yield f"`{names}`\n: {_about(parameter)}\n"


def _commands(app, before=""):
    """Yield names and functions of the commands of an app and of its groups."""
    for command in app.registered_commands:
        yield before + (command.name or command.callback.__name__), command.callback
    for group in app.registered_groups:
        yield from _commands(group.typer_instance, f"{before}{group.name} ")


def _names(parameter):
    kind, info = typing.get_args(parameter.annotation)
    if type(info).__name__ == "ArgumentInfo":
        return parameter.name.upper() + ("..." if typing.get_origin(kind) is list else "")
    # In an annotation, what Typer calls the default is the option's first spelling.
    spelled = [text for text in (info.default, *(info.param_decls or ())) if text is not ...]
    names = " / ".join(spelled) or "--" + parameter.name.replace("_", "-")
    if kind is bool or bool in typing.get_args(kind):
        return re.sub(r"(?<=\w)/(?=-)", " / ", names) if spelled else f"{names} / --no-{names[2:]}"
    kinds = [kind]
    for kind_part in kinds:  # grows as it goes: `list[str] | None` is an option of text
        kinds += typing.get_args(kind_part)
    choices = [choice for choice in kinds if isinstance(choice, str)]  # of a Literal
    if choices:
        return f"{names} {'|'.join(choices)}"
    words = {int: "NUMBER", float: "NUMBER", pathlib.Path: "PATH", str: "TEXT"}
    return f"{names} {next(words[kind] for kind in kinds if kind in words)}"


def _about(parameter):
    about = typing.get_args(parameter.annotation)[1].help
    about = _text(f"{about[0].upper()}{about[1:]}.")
    if parameter.default in (None, False, parameter.empty):
        return about
    return f"{about} Default: {'on' if parameter.default is True else parameter.default}."


def _text(text):
    """Escape what looks like an HTML tag."""
    return text.replace("<", "\\<")
