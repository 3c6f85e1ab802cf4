"""Formulas as docstrings have them, such as `mean |S_i - M_i Y|^p`, converted to LaTeX."""

import re

FORMULA = re.compile(r"\^|\|\s?\S*[A-Zacd-z]\b.*\||\bsum_|\bmean |log10")
# Types, names of Python and shapes.
CODE = re.compile(r"[\"'](?!\w?[A-Z^)]|\s|$)|\*\*|->|==|\bNone\b|\bbool\b|\b[a-z]+\.\w")
TOKEN = re.compile(
    r"\s+|(?P<number>\d[\d.]*)|(?P<name>[A-Za-z][A-Za-z0-9]*'?)"
    r"|_(?P<below>\{[^}]*\}|\([^)]*\)|\w+)|\^(?P<above>\([^)]*\)|-?\w+(?:/\w+)?)|(?P<sign><=|>=|\S)"
)
WORDS = {"sum": r"\sum", "mean": r"\operatorname{mean}", "in": r"\in", "angle": r"\angle "}
WORDS |= {"log10": r"\log_{10}", "pi": r"\pi ", "phi": r"\phi ", "hop": r"\mathrm{hop}"}
WORDS |= {word: rf"\{word}" for word in ("log", "exp", "sin", "cos", "max")}
SIGNS = {"<=": r"\le ", ">=": r"\ge ", "*": r"\cdot ", ".": r"\cdot ", "{": r"\{", "}": r"\}"}


def is_formula(text):
    """Return whether code is a formula, and not Python."""
    return bool(FORMULA.search(text)) and not CODE.search(text)


def is_equation(text):
    """Return whether an indented line is an equation, and not a command or Python."""
    return " = " in text and not CODE.search(text) and not re.search("--|kerasep", text)


def latex(text):
    """Return the LaTeX of a formula."""
    # A pair of angle brackets is an inner product.
    text = re.sub(r"<(\w, \w)>", "\N{LEFT ANGLE BRACKET}\\1\N{RIGHT ANGLE BRACKET}", text)
    text = re.sub(r"\s{4,}", "    ", text.strip())
    converted = "".join(map(_token, TOKEN.finditer(text)))
    # Factors beside each other.
    return re.sub(r"(?<=[\w}|)\]]) (?=[\w\\|(])(?!\\in|\\le|\\cdot)", r"\\,", converted)


def _token(match):
    kind, token = match.lastgroup, match[match.lastgroup or 0]
    if kind in ("below", "above"):
        return f"{'_' if kind == 'below' else '^'}{{{_script(token.strip('{}'))}}}"
    if kind is None:
        return r" \qquad " if len(match[0]) > 3 else " "
    if kind == "name":
        return _name(token)
    if kind == "sign":
        angles = {"\N{LEFT ANGLE BRACKET}": r"\langle ", "\N{RIGHT ANGLE BRACKET}": r"\rangle "}
        return {**SIGNS, **angles}.get(token, token)
    return token


def _script(text):
    if re.fullmatch(r"\(.*\)", text):
        text = text[1:-1]
    if re.fullmatch(r"[a-z]{3,}", text):
        return rf"\mathrm{{{text}}}"
    # Indices beside each other, ij, are letters.
    if re.fullmatch(r"\w\w", text):
        return text
    return "".join(map(_token, TOKEN.finditer(text)))


def _name(token):
    if token in WORDS:
        return WORDS[token]
    if len(token.strip("'")) == 1 or re.fullmatch(r"[VWYPC]+'?", token):
        return token.replace("'", "^{T}") if token.endswith("'") else token
    return rf"\operatorname{{{token}}}"
