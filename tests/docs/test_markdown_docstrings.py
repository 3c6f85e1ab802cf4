"""The conversion of docstrings with Markdown code to reStructuredText."""

import importlib.util
import pathlib

PATH = pathlib.Path(__file__).parents[2] / "docs/_extensions/markdown_docstrings.py"
SPEC = importlib.util.spec_from_file_location("markdown_docstrings", PATH)
MODULE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MODULE)


def convert(text):
    return "\n".join(MODULE.convert(text.splitlines()))


def test_names_are_linked_and_all_other_code_is_literal():
    text = convert("`kerasep.layers.STFT` of `(batch, samples)`, and `a\n    b` in two lines")
    assert text == ":py:obj:`kerasep.layers.STFT` of ``(batch, samples)``, and ``a b`` in two lines"


def test_products_do_not_end_a_sentence():
    assert convert("`v . w`") == "``v \N{MIDDLE DOT} w``"


def test_fences_become_directives_with_their_code_untouched():
    converted = convert("Example:\n```python\nx = `y`\n\nz\n```\nAfter `x`.").splitlines()
    assert converted == [
        ".. rubric:: Example",
        "",
        "",
        ".. code-block:: python",
        "",
        "    x = `y`",
        "",
        "    z",
        "",
        "After :py:obj:`x`.",
    ]


def test_sessions_and_indented_formulas_are_left_alone():
    text = "With\n\n    a = |b|\n\nfor `a`.\n\n>>> print('`')\n`"
    assert convert(text) == "With\n\n::\n\n    a = |b|\n\nfor :py:obj:`a`.\n\n>>> print('`')\n`"
