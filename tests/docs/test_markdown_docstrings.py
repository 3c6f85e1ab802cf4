"""The conversion of docstrings with Markdown code to reStructuredText."""

import ast
import importlib
import pathlib
import re
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs/_extensions"))
docstrings, formulas = map(importlib.import_module, ("markdown_docstrings", "formulas"))


def convert(text):
    return "\n".join(docstrings.convert(text.splitlines()))


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


def test_sessions_and_indented_code_are_left_alone():
    text = "With\n\n    kerasep list\n\nfor `a`.\n\n>>> print('`')\n`"
    assert convert(text) == (
        "With\n\n::\n\n    kerasep list\n\nfor :py:obj:`a`.\n\n>>> print('`')\n`"
    )


def test_indented_equations_are_typeset():
    assert convert("With\n\n    a = |b|^2\n\nfor").splitlines()[2] == ".. math:: a = |b|^{2}"


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("mean |d|^p", r"\operatorname{mean}\,|d|^{p}"),
        ("a = <e, s> / |s|^2", r"a = \langle\,e, s\rangle / |s|^{2}"),
        ("10 log10(|s|^2 / t)", r"10\,\log_{10}(|s|^{2} / t)"),
        ("|V'WV|_F^2", r"|V^{T}WV|_{F}^{2}"),
        ("sum_ij P_ij / sources", r"\sum_{ij}\,P_{ij} / \operatorname{sources}"),
        ("v_n . v_m^2", r"v_{n} \cdot v_{m}^{2}"),
    ],
)
def test_formulas_become_latex(text, latex):
    assert re.sub(" +", " ", formulas.latex(text)) == latex
    assert convert(f"`{text}`") == f":math:`{formulas.latex(text)}`"


@pytest.mark.parametrize(
    "code", ["(batch, samples)", "str | None", '"a" | "b"', "x ** 2", "kerasep.ops.stft", "n_fft"]
)
def test_python_is_no_formula(code):
    assert ":math:" not in convert(f"`{code}`")


def test_the_formula_of_every_spectrogram_loss_is_typeset():
    tree = ast.parse((ROOT / "kerasep/losses/spectrogram.py").read_text("utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    public = [ast.get_docstring(node) for node in classes if not node.name.startswith("_")]
    assert len(public) >= 3
    assert all(":math:" in convert(text.partition("\n")[0]) for text in public)
