"""A page per model of the zoo: its class, presets, audio, card and citation."""

import inspect
import pathlib
import re

from kerasep import models, zoo

ROOT = pathlib.Path(__file__).parents[2]
WEIGHTS = ROOT / "kerasep/zoo/weights"
CARDS = ROOT / "zoo"
FILES = "https://github.com/kerasep/kerasep/blob/main"
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#\s]+)\)")
# The sources of synthetic songs.
SONG = {"vocals", "drums", "bass", "other", "accompaniment"}

INDEX = """# Models

Every model is a plain `keras.Model`, loaded by name: `kerasep.zoo.load("unet_like/karaoke")`. An
*entry* is an architecture, a *preset* a setting of it. ★ comes with trained weights.
{{doc}}`/guide/zoo` helps to choose, {{doc}}`published_weights` lists weights of others, and
{{doc}}`results` says what improved the scores.

| entry | what it is | |
|---|---|---|
{rows}

```{{toctree}}
:hidden:

{entries}
published_weights
two_speakers
results
```
"""
PAGE = """# {entry}

{words}

## Presets

| preset | weights | size | latency |
|---|---|---|---|
{rows}

Scores are improvements of SI-SDR over the mixture, on recordings that the model never heard.

{listen}{card}## Reference

```{{eval-rst}}
.. autoclass:: kerasep.models.{cls}
   :members:
```

## Citation

{citation}

For kerasep itself see [CITATION.cff]({files}/CITATION.cff).
"""
CATALOGUE = """# Published weights

Weights that others published and kerasep loads by name, as `zoo.load(PRESET, weights=NAME)`: what
`kerasep.zoo.catalogue` returns. {{doc}}`/guide/zoo` explains the licences. Scores are those that
the linked source reports, in dB.

| preset, name | separates | licence | reported | files |
|---|---|---|---|---|
{rows}
"""
LISTEN = """## Listen

A synthetic song, which the build of this page generates and separates with the included weights.
The gain is the improvement of SI-SDR.
"""


def setup(app):
    """Write the pages before Sphinx looks for pages."""
    app.connect("builder-inited", _write)
    app.connect("autodoc-process-docstring", _without_words, priority=300)
    return {"parallel_read_safe": True}


def _write(app):
    folder = pathlib.Path(app.srcdir) / "models"
    folder.mkdir(exist_ok=True)
    entries = {}
    for name in zoo.list_entries():
        entries.setdefault(name.partition("/")[0], []).append(zoo.describe(name))
    pages = {entry: _page(entry, presets) for entry, presets in entries.items()}
    rows = [
        f"| {{doc}}`{entry}` | {_description(presets)[0].splitlines()[0]} "
        f"| {'★' if any(map(_included, presets)) else ''} |"
        for entry, presets in entries.items()
    ]
    pages["index"] = INDEX.format(rows="\n".join(rows), entries="\n".join(entries))
    pages["published_weights"] = CATALOGUE.format(rows="\n".join(map(_set, zoo.catalogue())))
    pages["two_speakers"] = _text(CARDS / "two_speakers/card.md")
    pages["results"] = _text(CARDS / "RESULTS.md")
    for name, text in pages.items():
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
    for page in folder.glob("*.md"):
        if page.stem not in pages:
            page.unlink()


def _page(entry, presets):
    words, citation = _description(presets)
    songs = [each["name"] for each in presets if _included(each) and _separates_songs(each)]
    players = [f"`{name}`\n\n```{{listen}} {name}\n```\n" for name in songs]
    return PAGE.format(
        entry=entry,
        words=words,
        rows="\n".join(map(_row, presets)),
        listen="\n".join([LISTEN, *players, ""]) if players else "",
        card=_card(entry, presets),
        cls=presets[0]["class"],
        citation=citation or "See the description above.",
        files=FILES,
    )


def _description(presets):
    """Return what the docstring of a class says of it, and its reference to the literature."""
    text = inspect.getdoc(getattr(models, presets[0]["class"]))
    reference = text.partition("\nReference:\n")[2]
    return text.partition("\nArgs:")[0], inspect.cleandoc(reference)


def _without_words(app, what, name, obj, options, lines):
    """Leave out of the reference what a model's page says above and below it."""
    if what == "class" and app.env.docname.startswith("models/") and "Args:" in lines:
        last = lines.index("Reference:") if "Reference:" in lines else len(lines)
        lines[:] = lines[lines.index("Args:") : last]


def _included(preset):
    return any("file" in weights for weights in preset["weights"].values())


def _separates_songs(preset):
    return {*preset["arguments"]["sources"]} <= SONG


def _row(preset):
    size, rate = preset["size"], preset["arguments"]["sample_rate"]
    latency = (
        "whole recording" if size["latency"] is None else f"{1000 * size['latency'] / rate:.0f} ms"
    )
    cells = [
        f"**`{preset['name'].partition('/')[2]}`**<br>{preset['description']}",
        "<br>".join(_weights(*item) for item in preset["weights"].items()),
        f"{_count(size['parameters'])} parameters, {_count(size['macs'])} MAC/s",
        latency,
    ]
    return f"| {' | '.join(cells)} |"


def _weights(name, weights):
    where = f"[download]({weights.get('origin')})"
    if "file" in weights:
        where = f"**included**, {(WEIGHTS / weights['file']).stat().st_size / 1e6:.1f} MB"
    gains = weights.get("scores", {}).get("si_sdr_improvement", {}).items()
    scores = "".join(f"; {source} {gain:+.1f} dB" for source, gain in gains)
    return f"`{name}`: {where}{scores}; {weights['licence']}; trained on {weights['data']}"


def _set(row):
    """Return a row of the catalogue."""
    scores, reported = row["reported"], ""
    if scores:
        values = ", ".join(f"{source} {value:g}" for source, value in scores["values"].items())
        reported = (
            f"{scores['measure']}: {values}, on {scores['data']} ([source]({scores['source']}))"
        )
    files = [
        f"[{source}]({file['url']})"
        + (f", {file['bytes'] / 1e6:.1f} MB" if file["bytes"] else "")
        + (f", SHA-256 `{file['sha256']}`" if file["sha256"] else ", checksum not known")
        for source, file in row["files"].items()
    ]
    cells = [
        f"`{row['preset']}`<br>`{row['name']}`",
        f"{', '.join(row['sources'])}; trained on {row['data']}",
        f"{row['licence']} ([project]({row['origin']}))",
        reported,
        "<br>".join(files),
    ]
    return f"| {' | '.join(cells)} |"


def _count(number):
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def _card(entry, presets):
    """Return the card of an entry, one level of headings down, with its learning curves."""
    file = CARDS / entry / "card.md"
    shared = "The preset `digits` shares a card with other models: {doc}`two_speakers`.\n\n"
    shared = shared if any(each["name"].endswith("/digits") for each in presets) else ""
    if not file.exists():
        return f"## Model card\n\n{shared}" if shared else ""
    text = re.sub(r"^##+ ", _deeper, _text(file).partition("\n")[2].strip(), flags=re.MULTILINE)
    curves = [path for path in sorted(file.parent.glob("curve*.svg")) if path.name in text]
    pictures = [f"![Learning curve](../../zoo/{entry}/{path.name})\n" for path in curves]
    parts = ["## Model card\n", text, "", *(["### Learning curves\n", *pictures] if curves else [])]
    return "\n".join([*parts, shared])


def _deeper(match):
    return "### " if match[0] == "## " else "#### "


def _text(file):
    """Return a file of zoo/ with its links for the site."""

    def link(match):
        label, target = match.groups()
        path = (file.parent / target).resolve().relative_to(ROOT)
        if path.name == "card.md":
            return f"[{label}]({path.parent.name}.md)"
        if path.name == "RESULTS.md":
            return f"[{label}](results.md)"
        return f"[{label}]({FILES}/{path.as_posix()})"

    return LINK.sub(link, file.read_text("utf-8"))
