"""Convert docstrings with Markdown code to the reStructuredText of autodoc."""

import inspect
import itertools
import re

from formulas import is_equation, is_formula, latex

CODE_SPAN = re.compile(r"(?<![`:\w])`([^`]+)`(?!`)")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def setup(app):
    """Register the conversion before that of napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True}


def _process(app, what, name, obj, options, lines):
    # Constants have the docstring of their type.
    if isinstance(obj, dict):
        lines[:] = _entries(obj)
    elif isinstance(obj, tuple):
        lines[:] = [", ".join(f"``{value}``" for value in obj)]
    else:
        lines[:] = convert(lines)


def _signature(app, what, name, obj, options, signature, returns):
    """Show a class by its constructor, which Keras hides behind a `__new__` of any arguments."""
    if what != "class" or not inspect.isfunction(obj.__init__):
        return None
    import sphinx.util.inspect  # the tests of the conversion do without

    if hasattr(obj, "__signature__"):
        signature = obj.__signature__
    else:
        signature = inspect.signature(obj.__init__)
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    text = sphinx.util.inspect.stringify_signature(signature, unqualified_typehints=True)
    return text.rpartition(" -> ")[0] or text, None


def _entries(texts):
    for name, text in texts.items():
        yield f"{name}"
        yield f"    {text}"


def convert(lines):
    """Convert the lines of a docstring: fences, indented code, code spans and examples."""
    converted = []
    for is_code, group in itertools.groupby(_marked(lines), key=lambda pair: pair[0]):
        text = "\n".join(line for _, line in group)
        converted += (text if is_code else CODE_SPAN.sub(_span, text)).split("\n")
    return converted


def _span(match):
    """Return a link for a possible name, and literal text otherwise."""
    # A dot between spaces is a product, and would end the sentence of the summary.
    text = re.sub(r"\s*\n\s*", " ", match.group(1))
    if is_formula(text):
        return f":math:`{latex(text)}`"
    text = text.replace(" . ", " \N{MIDDLE DOT} ")
    return f":py:obj:`{text}`" if NAME.fullmatch(text) else f"``{text}``"


def _marked(lines):
    """Yield (whether it is code, line), with directives in place of Markdown's fences."""
    fenced = session = quoted = False
    before = last = ""  # the previous line, and the last one that is not blank
    for line in lines:
        text = line.strip()
        if fenced:
            fenced = text != "```"
            yield True, f"    {line}" if fenced and text else ""
        elif text.startswith("```"):
            fenced = True
            yield True, ""
            yield True, line.replace("```", ".. code-block:: ")
            yield True, ""
        elif text == "Example:":
            # Not a section of napoleon: what follows is not indented.
            yield True, line.replace("Example:", ".. rubric:: Example")
            yield True, ""
        else:
            session = bool(text) and (session or text.startswith(">>>"))
            indented = line.startswith("    ")
            if indented and not before.strip() and last and not last.startswith(" "):
                quoted = True
                if not is_equation(text):
                    yield True, "::"
                    yield True, ""
            quoted = quoted and (indented or not text)
            if quoted and is_equation(text):
                yield True, f".. math:: {latex(text)}"
                yield True, ""
            else:
                yield session or quoted, line
        before, last = line, line if text else last
