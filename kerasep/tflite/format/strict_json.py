"""JSON that parsers of every language read the same way."""

import json

_MOST_BYTES = 2**20
_MOST_DEPTH = 16
_MOST_NUMBER = 63  # letters


def load(data):
    """Parse UTF-8, or raise ValueError.

    Rejected are more than 1 MiB, 16 levels or 63 letters in a number, a key that occurs twice in
    one object, a NUL or half a surrogate pair in a text, and whatever is not JSON.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{len(data)} bytes, expected at most {_MOST_BYTES}")
    text = data.decode("utf-8")
    _check_depth(text)
    value = json.loads(
        text,
        object_pairs_hook=_unique,
        parse_constant=_reject,
        parse_int=lambda number: int(_short(number)),
        parse_float=lambda number: float(_short(number)),
    )
    _check_texts(value)
    return value


def _check_depth(text):
    """Count brackets outside strings, before a parser recurses into them."""
    depth, quoted, escaped = 0, False, False
    for letter in text:
        if quoted:
            quoted = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        elif letter in "[{":
            depth += 1
            if depth > _MOST_DEPTH:
                raise ValueError(f"more than {_MOST_DEPTH} levels")
        elif letter in "]}":
            depth -= 1


def _unique(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key occurs twice")
    return value


def _reject(constant):
    raise ValueError(f"{constant} is not JSON")


def _short(number):
    if len(number) > _MOST_NUMBER:
        raise ValueError(f"a number of {len(number)} letters, expected at most {_MOST_NUMBER}")
    return number


def _check_texts(value):
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text with NUL")
        value.encode()  # raises UnicodeEncodeError, a ValueError, for half a surrogate pair
    elif isinstance(value, dict):
        for item in [*value, *value.values()]:
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
