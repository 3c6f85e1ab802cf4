"""Medians of scores, CSV files and tables for the terminal."""

import csv

import pytest

from kerasep import evaluation
from kerasep.errors import InputError
from kerasep.evaluation.score_tables import LIMIT, score_tables


def test_summary_is_the_median_of_each_source():
    rows = [
        {"track": name, "source": source, "si_sdr": value}
        for name, source, value in [
            ("a", "bass", 1.0), ("b", "bass", 9.0), ("c", "bass", 2.0), ("d", "bass", None),
            ("a", "drums", None),
        ]
    ]  # fmt: skip
    assert evaluation.summarise(rows) == [
        {"track": "median of 4", "source": "bass", "si_sdr": 2.0},
        {"track": "median of 1", "source": "drums", "si_sdr": None},
    ]
    with pytest.raises(InputError, match="no scores"):
        evaluation.summarise([])


def test_summary_and_table_of_what_is_not_finite(tmp_path):
    infinity = float("inf")
    rows = [
        {"track": name, "source": "bass", "si_sdr": value}
        for name, value in zip("abcd", [infinity, 3.0, float("nan"), -infinity], strict=True)
    ]
    (median,) = evaluation.summarise(rows)
    assert median == {"track": "median of 4", "source": "bass", "si_sdr": 3.0}
    assert evaluation.summarise(rows[:1])[0]["si_sdr"] == LIMIT
    assert evaluation.summarise(rows[2:3])[0]["si_sdr"] is None
    evaluation.write_csv(rows, tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv", newline="") as file:
        written = [row["si_sdr"] for row in csv.DictReader(file)]
    assert written == ["100.000", "3.000", "", "-100.000"]
    ((_, table),) = score_tables(rows, ["si_sdr"])
    assert [*table.columns[2].cells] == ["100.00", "3.00", "-", "-100.00"]


def test_table(tmp_path):
    rows = [{"track": "a, b", "source": "bass", "si_sdr": 1.23456}]
    rows.append({"track": "c", "source": "bass", "si_sdr": None})
    evaluation.write_csv(rows, tmp_path / "scores.csv")
    with open(tmp_path / "scores.csv", newline="") as file:
        assert list(csv.reader(file)) == [
            ["track", "source", "si_sdr"], ["a, b", "bass", "1.235"], ["c", "bass", ""]
        ]  # fmt: skip


def test_a_table_of_any_names(tmp_path):
    rows = [{"track": "=1", "source": "-caf\udce9", "si_sdr": -3.2}]
    evaluation.write_csv(rows, tmp_path / "scores.csv")
    lines = (tmp_path / "scores.csv").read_text("utf-8").splitlines()
    assert lines == ["track,source,si_sdr", "'=1,'-caf\\xe9,-3.200"]


def test_a_table_is_whole_or_not_there(tmp_path):
    rows = [{"track": "a"}, {"track": "b", "no such column": 1.0}]
    (tmp_path / "scores.csv").write_text("mine")
    with pytest.raises(ValueError, match="no such column"):
        evaluation.write_csv(rows, tmp_path / "scores.csv")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(InputError, match=r"cannot write .*scores\.csv: No such file"):
        evaluation.write_csv(rows, tmp_path / "missing" / "scores.csv")
