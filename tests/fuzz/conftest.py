"""Seeded cases for the fuzzers: a fixed number, and more for as long as the variable asks."""

import itertools
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
