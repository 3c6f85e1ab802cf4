"""Names of the package in the guides, such as `kerasep.layers.STFT`, as links to the reference."""

import re

NAME = re.compile(r"(?<![`}])`(kerasep(?:\.\w+)+)`(?!`)")


def setup(app):
    """Put roles into Markdown as it is read; what is no documented name stays plain code."""
    app.connect("source-read", _link)
    return {"parallel_read_safe": True}


def _link(app, page, source):
    if str(app.env.doc2path(page)).endswith(".md"):
        source[0] = NAME.sub(r"{py:obj}`\1`", source[0])
