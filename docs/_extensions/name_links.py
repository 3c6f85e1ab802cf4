"""Links from names in the guides, such as `kerasep.layers.STFT`, to the reference."""

import re

NAME = re.compile(r"(?<![`}])`(kerasep(?:\.\w+)+)`(?!`)")


def setup(app):
    """Register the conversion; names without documentation stay plain code."""
    app.connect("source-read", _link)
    return {"parallel_read_safe": True}


def _link(app, page, source):
    if str(app.env.doc2path(page)).endswith(".md"):
        source[0] = NAME.sub(r"{py:obj}`\1`", source[0])
