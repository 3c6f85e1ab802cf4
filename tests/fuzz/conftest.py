"""Seeded cases for the fuzzers: a fixed number, and more for as long as the variable asks."""

import itertools
import json
import os
import time

import numpy as np
import pytest

MINUTES = float(os.environ.get("KERASEP_FUZZ_MINUTES", "0"))  # for each fuzzer


def _cases(count):
    """Yield (seed, random generator): `count` of them at least, then until the time is up."""
    end = time.monotonic() + 60 * MINUTES
    for seed in itertools.count():
        if seed >= count and time.monotonic() >= end:
            return
        yield seed, np.random.default_rng(seed)


@pytest.fixture(scope="session")
def cases():
    """Function of a least number of cases that yields seeds and random generators."""
    return _cases


_ODD = [
    *(None, True, False, 0, 1, -1, 2, 3, 7, 0.5, -0.5, 2.0, 1e308, 63, 64, 65, 999, 1000, 768001),
    *(2**20, 2**20 + 1, 2**30, 2**31 - 1, 2**31, 2**32, 2**53, 10**12, 10**62, 10**70, -(2**31)),
    *("", "0", "400", "\0", "\ud800", "a/b", "..", "mask", "streaming", "mirror", "é", "x" * 300),
    *([], {}, [1], ["vocals"], ["a", "b"], ["a", "a"], [["a"]], {"a": 1}, {"hop": 1}),
]
_TEXTS = [b"NaN", b"-Infinity", b"1e999", b"012", b"1.", b"0.5e1", b'"\xff"', b'"\xed\xa0\x80"']
_TEXTS += [b"'a'", b"tru", b"[" * 14 + b"]" * 14, b"[" * 5000, b"9" * 5000, b'"\\u0000"', b"400.0"]


def _lie(rng, about):
    """JSON of a dict with a few values changed, left out or twice, or with bytes changed."""
    changed, later = dict(about), []
    for _ in range(rng.integers(1, 4)):
        key = str(rng.choice([*about, "timing", "stft", "frames", "state", "later"]))
        kind = rng.random()
        if kind < 0.15:
            changed.pop(key, None)
        elif kind < 0.65:
            changed[key] = _ODD[rng.integers(len(_ODD))]
        elif kind < 0.8:
            number = about.get(key)
            number = number if isinstance(number, int) else 100
            changed[key] = int(number * rng.choice([-1, 0.5, 1, 2, 3]) + rng.integers(-2, 3))
        elif kind < 0.95:
            later.append((key, _TEXTS[rng.integers(len(_TEXTS))]))
            changed.pop(key, None)
        else:
            later.append((key, json.dumps(changed.get(key)).encode()))
    text = json.dumps(changed).encode()[:-1]
    for key, value in later:
        text += (b", " if len(text) > 1 else b"") + json.dumps(key).encode() + b": " + value
    text = bytearray(text + b"}")
    if rng.random() < 0.15:
        for at in rng.integers(0, len(text), rng.integers(1, 4)):
            text[at] = rng.choice([0, 0x22, 0x5C, 0x7B, 0x7D, 0x2C, 0x39, 0xFF, rng.integers(256)])
    return bytes(text[: rng.integers(len(text))] if rng.random() < 0.03 else text)


@pytest.fixture(scope="session")
def lie():
    """Function of a random generator and metadata that returns JSON that lies, or is none."""
    return _lie
