"""Messages of Protocol Buffers, read without their schema.

The format: https://protobuf.dev/programming-guides/encoding
"""

from typing import Any

import numpy as np

_MOST = 1 << 18  # fields of one message
_LONGEST = 10  # bytes of a whole number
_SIZES = {1: 8, 5: 4}  # of values by their wire type


def fields(content: memoryview) -> dict[int, list[Any]]:
    r"""Return the fields of a message by number: whole numbers, and views of everything else.

    Args:
        content: the message.

    Raises:
        ValueError: for a message that is cut short or has too many fields.

    Example:
    >>> {number: [*map(bytes, values)] for number, values in fields(b"\x12\x02hi").items()}
    {2: [b'hi']}
    """
    content = memoryview(content)
    found: dict[int, list[Any]] = {}
    at = count = 0
    while at < len(content):
        tag, at = _whole(content, at)
        kind = tag & 7
        if kind == 0:
            value, at = _whole(content, at)
        else:
            size, at = _whole(content, at) if kind == 2 else (_SIZES[kind], at)
            if size > len(content) - at:
                raise ValueError("it is cut short")
            value, at = content[at : at + size], at + size
        found.setdefault(tag >> 3, []).append(value)
        count += 1
        if count > _MOST:
            raise ValueError(f"it has more than {_MOST} parts in one place")
    return found


def text(content: memoryview) -> str:
    """Return a text."""
    return bytes(content).decode()


def signed(value: int) -> int:
    """Return a whole number of 64 bits with its sign."""
    return value - (1 << 64) if value >> 63 else value


def floats(values: list, dtype: str) -> np.ndarray:
    """Return repeated floating-point numbers, packed or not."""
    return np.frombuffer(b"".join(values), dtype)


def integers(values: list) -> np.ndarray:
    r"""Return repeated whole numbers, packed or not, as int64.

    Example:
    >>> integers([3, b"\x01\x96\x01"]).tolist()
    [3, 1, 150]
    """
    packed = [[signed(value)] if isinstance(value, int) else _unpacked(value) for value in values]
    return np.concatenate([np.zeros(0, "i8"), *packed]).astype("i8")


def _unpacked(content):
    """Decode all whole numbers at once: the last byte of each is below 128."""
    data = np.frombuffer(content, "u1")
    ends = np.flatnonzero(data < 0x80)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        raise ValueError("it is cut short")
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    longest = max(ends - starts + 1, default=0)
    if longest > _LONGEST:
        raise ValueError(f"a number in it has more than {_LONGEST} bytes")
    values = np.zeros(len(ends), "u8")
    for place in range(longest):
        rows = np.flatnonzero(starts + place <= ends)
        bits = (data[starts[rows] + place] & 0x7F).astype("u8")
        values[rows] |= bits << np.uint64(7 * place)
    return values.view("i8")


def _whole(content, at):
    """Return the whole number at a position, and the position after it."""
    value = 0
    for place in range(_LONGEST):
        if at >= len(content):
            raise ValueError("it is cut short")
        byte, at = content[at], at + 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError(f"a number in it has more than {_LONGEST} bytes")
