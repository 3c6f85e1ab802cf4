"""Which source stands for the rest of the mixture: the same cases as for the other languages."""

import json
import pathlib

import pytest

from kerasep.separation.residual import residual_source

PATH = pathlib.Path(__file__).parents[1] / "tflite" / "metadata_cases.json"
CASES = json.loads(PATH.read_text("utf-8"))["residuals"]


@pytest.mark.parametrize(("sources", "expected"), CASES)
def test_by_name(sources, expected):
    assert residual_source(sources) == expected
    assert residual_source(reversed(sources)) == expected
