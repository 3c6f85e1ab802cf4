"""The parity table has one row per comparison."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def test_every_comparison_has_a_row():
    table = (ROOT / "docs/reference/parity.md").read_text("utf-8")
    rows = re.findall(r"\| `(test_\w+)` \|$", table, re.MULTILINE)
    tests = [
        name
        for path in sorted((ROOT / "tests/parity").glob("test_*.py"))
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert sorted(rows) == sorted(set(tests))
