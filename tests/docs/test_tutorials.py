"""The tutorials are as a notebook service opens them; `make docs` runs them to their ends."""

import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.ipynb"))
NAMES = [path.stem for path in TUTORIALS]


def test_all_tutorials_are_there():
    assert NAMES == ["fine_tune", "phone", "separate", "train"]


@pytest.mark.parametrize("path", TUTORIALS, ids=NAMES)
def test_tutorials_are_small_and_open_in_colab(path):
    notebook = json.loads(path.read_text("utf-8"))
    address = "https://colab.research.google.com/github/kerasep/kerasep/blob/main/"
    assert f"({address}{path.relative_to(ROOT)})" in "".join(notebook["cells"][0]["source"])
    assert not any(cell.get("outputs") for cell in notebook["cells"])
