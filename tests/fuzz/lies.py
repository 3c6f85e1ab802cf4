"""Lies that a JSON file can tell: one value, key or byte of it changed."""

import copy
import json

VALUES = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        1.5,
        -0.5,
        1e308,
        -1e308,
        10**12,
        2**31,
        2**63,
        10**30,
        -(2**63),
    ),
    *("", "a", "../../etc/passwd", "/etc/passwd", "a\x00b", "x" * 5000, "NaN", "vocals", "\u202e"),
    *(
        [],
        [0],
        {},
        {"a": 1},
        [[[]]],
        ["", ""],
        [1e400, 1],
        float("nan"),
        float("inf"),
        -float("inf"),
    ),
)


def lie(truth, rng):
    """Return JSON text in which something about a value is untrue, or no JSON any more."""
    kind = rng.integers(8)
    if kind == 0:
        return _bytes(json.dumps(truth).encode(), rng)
    if kind == 1:
        return _twice(json.dumps(truth), rng)
    changed = copy.deepcopy(truth)
    for _ in range(rng.integers(1, 3)):
        holder, key = _place(changed, rng)
        if holder is None:
            return json.dumps(VALUES[rng.integers(len(VALUES))]).encode()
        _change(holder, key, rng)
    return json.dumps(changed).encode()


def _place(value, rng):
    """Choose a value anywhere in a tree, each depth about as often: what holds it, and its key."""
    holder = key = None
    while isinstance(value, dict | list) and value and (holder is None or rng.random() < 0.85):
        holder = value
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = keys[rng.integers(len(keys))]
        value = value[key]
    return holder, key


def _change(holder, key, rng):
    kind, value = rng.integers(6), holder[key]
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
    elif kind == 1:
        holder.insert(key, value)
    elif kind == 2 and isinstance(value, int | float):
        holder[key] = value * [-1, 2, 1000, 10**12, 0][rng.integers(5)] + int(rng.integers(-1, 2))
    elif kind == 2 and isinstance(value, str):
        holder[key] = _bytes(value.encode(), rng).decode("utf-8", "replace")
    else:
        holder[key] = VALUES[rng.integers(len(VALUES))]


def _bytes(text, rng):
    """Change, cut or repeat bytes."""
    text = bytearray(text)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(text) + 1))
        kind = rng.integers(4)
        if kind == 0:
            text[place : place + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            del text[place:]
        elif kind == 2:
            text[place:place] = text[place : place + int(rng.integers(50))]
        else:
            del text[place : place + int(rng.integers(1, 20))]
    return bytes(text)


def _twice(text, rng):
    """Have a key twice, or nest deeply."""
    if rng.random() < 0.2:
        return (b"[" * 200_000)[: int(rng.integers(1, 200_000))]
    places = [place for place, letter in enumerate(text) if letter == "{"]
    place = places[rng.integers(len(places))] + 1
    end = text.find(":", place)
    return (text[:place] + text[place:end] + ": 1, " + text[place:]).encode()
