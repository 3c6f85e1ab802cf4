"""What zoo/heard.py says of a stem, on signals of which it is known."""

import importlib.util
import pathlib

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "zoo" / "heard.py"
RATE = 16000
TIME = np.arange(RATE)[:, None] / RATE


@pytest.fixture(scope="module")
def heard():
    spec = importlib.util.spec_from_file_location("heard", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tone(hertz, level):
    return 10 ** (level / 20) * np.sin(2 * np.pi * hertz * TIME)


def test_each_band_has_its_own_level(heard):
    stem = tone(100, -10) + tone(500, -10) + tone(2000, -10) + tone(5000, -10)
    rest = tone(200, -16) + tone(900, -7) + tone(3000, -30) + tone(7000, -10)
    found = heard.above_the_rest(stem, stem + rest, RATE)
    np.testing.assert_allclose(found, [6, -3, 20, 0], atol=0.01)


def test_what_a_stem_has_lost_counts_as_well(heard):
    stem = tone(500, 0)
    assert heard.above_the_rest(stem, 0.9 * stem, RATE)[1] == pytest.approx(20)


def test_only_pauses_are_compared(heard):
    stem = tone(500, 0) * (TIME < 0.5)
    rest = tone(700, -6)
    estimate = stem + 0.1 * rest
    found = heard.softer_in_pauses(stem + rest, stem, estimate, RATE)
    assert found == pytest.approx(20, abs=0.01)


def test_a_source_without_pauses_has_no_figure(heard):
    stem = tone(500, 0)
    assert np.isnan(heard.softer_in_pauses(stem, stem, stem, RATE))
    assert np.isnan(heard.median(np.array([np.nan])))
    assert heard.median(np.array([1, np.nan, 3])) == 2
