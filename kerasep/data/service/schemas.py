"""Validate untrusted JSON: every key, type and range."""

import json
import math
from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Positive = Annotated[int, Meta(ge=1, le=1 << 53)]
Rate = Annotated[int, Meta(ge=1, le=1 << 24)]  # in Hz
Channels = Annotated[int, Meta(ge=1, le=1024)]
Number = Annotated[float, Meta(ge=-1e38, le=1e38)]  # finite as a float32
Name = Annotated[str, Meta(min_length=1, max_length=4096)]
Names = Annotated[list[Name], Meta(min_length=1, max_length=256)]


class Record(msgspec.Struct, forbid_unknown_fields=True):
    """An object whose keys are all known."""


class Transform(Record):
    """A short-time Fourier transform, as `layout.transform_of` describes it."""

    n_fft: Annotated[int, Meta(ge=1, le=1 << 24)]
    hop: Annotated[int, Meta(ge=1, le=1 << 24)]
    window: Name


def parse(text, kind):
    """Parse JSON as an object of a class; raises ValueError."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_reject_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def _unique(pairs):
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"it has the key {twice[:50]!r} twice")
    return unique


def _reject_constant(name):
    raise ValueError(f"{name} is not a JSON number")


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:50]} is not a finite number")
    return number
