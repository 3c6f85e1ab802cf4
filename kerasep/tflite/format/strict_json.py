"""JSON that parsers of every language read the same way."""

import json

_MOST_BYTES = 2**20
_MOST_DEPTH = 16
_MOST_NUMBER = 63  # letters


def load(data):
    """Parse UTF-8, or raise ValueError for what parsers treat differently."""
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{len(data)} bytes, expected at most {_MOST_BYTES}")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_reject,
            parse_int=lambda number: int(_short(number)),
            parse_float=lambda number: float(_short(number)),
        )
    except RecursionError:
        raise ValueError(f"more than {_MOST_DEPTH} levels") from None
    _check(value)
    return value


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


def _check(value, depth=0):
    """Check the texts and the depth of a parsed value."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text with NUL")
        value.encode()  # raises UnicodeEncodeError, a ValueError, for half a surrogate pair
    elif isinstance(value, dict | list):
        if depth == _MOST_DEPTH:
            raise ValueError(f"more than {_MOST_DEPTH} levels")
        items = [*value, *value.values()] if isinstance(value, dict) else value
        for item in items:
            _check(item, depth + 1)
