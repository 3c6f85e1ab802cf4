"""What a file costs: rows that can be true, and refusals."""

import csv

import pytest

from kerasep import cli
from kerasep.errors import InputError
from kerasep.tflite import bench


def test_rows(tiny, built):
    shares = []
    rows = bench(
        tiny, [1, 2], rounds=2, runs=3, native=built / "kerasep-native", progress=shares.append
    )
    settings = [(row["runtime"], row["threads"]) for row in rows]
    assert settings == [("python", 1), ("c", 1), ("python", 2), ("c", 2)]
    for row in rows:
        assert 0 < row["least_ms"] <= row["median_ms"] < 1000
        assert row["chunk_ms"] == 50
        assert row["real_time"] == row["median_ms"] / 50
        assert 5 < row["peak_mb"] < 200  # less than this process has
        assert row["latency_ms"] is None
        assert row["file_mb"] == tiny.stat().st_size / 1e6
        assert row["operations"] > 3
    assert rows[1]["peak_mb"] < rows[0]["peak_mb"]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_cannot_be_measured_is_refused(tiny, tmp_path):
    for settings in ({"threads": []}, {"threads": [0]}, {"rounds": 0}, {"runs": 0}):
        with pytest.raises(InputError, match="expected at least 1"):
            bench(tiny, **settings)
    with pytest.raises(InputError, match="there is no such file"):
        bench(tmp_path / "missing.tflite")
    with pytest.raises(InputError, match="expected kerasep-native: build it by make native"):
        bench(tiny, native=tmp_path / "missing")
    (tmp_path / "no program").write_text("")
    with pytest.raises(InputError, match="cannot run"):
        bench(tiny, rounds=1, runs=1, native=tmp_path / "no program")


def test_files_for_streams_are_refused(toy, tmp_path):
    timing = {"hop": 4, "frame": 4, "lag": 0, "silence": 0, "ends": "fill"}
    with pytest.raises(InputError, match="takes no chunks of a recording"):
        bench(toy(tmp_path / "model", timing))


def test_the_command(tiny, tmp_path, capsys, monkeypatch):
    arguments = [str(tiny), "--rounds", "1", "--runs", "1", "--csv", str(tmp_path / "a.csv")]
    cli.app(["bench", *arguments], standalone_mode=False)
    said = capsys.readouterr().out
    assert "for a chunk of 0.050 s" in said
    assert "…" not in said
    assert "python" in said
    with (tmp_path / "a.csv").open() as file:
        [row] = csv.DictReader(file)
    assert row["runtime"] == "python"
    assert float(row["median_ms"]) > 0
    with pytest.raises(InputError, match=r"a\.csv, which exists: choose another, or --overwrite"):
        cli.app(["bench", *arguments], standalone_mode=False)
    monkeypatch.setattr("kerasep.tflite.bench", None)
    with pytest.raises(InputError, match=r"no folder .*none: create it first"):
        cli.app(
            ["bench", str(tiny), "--csv", str(tmp_path / "none" / "a.csv")], standalone_mode=False
        )
