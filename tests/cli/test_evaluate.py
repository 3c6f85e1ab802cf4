"""`kerasep evaluate`: the printed table and the CSV file."""

import csv
import statistics

import pytest
import soundfile


def test_train_separate_evaluate(folder, tmp_path, capsys, call, files):
    assert {"model.keras", "history.csv", "recipe.json"} <= set(files(folder / "run"))
    run = folder / "run"
    assert call("separate", folder / "mixture.wav", "--model", run, "--out", tmp_path) == 0
    stems = ["bass", "drums", "other", "vocals"]
    assert files(tmp_path) == [f"mixture/{name}.wav" for name in stems]
    assert soundfile.info(tmp_path / "mixture/bass.wav").frames == 9000

    table = tmp_path / "scores.csv"
    capsys.readouterr()
    assert call("evaluate", "--model", run, "--data", folder / "songs", "--csv", table) == 0
    printed = capsys.readouterr().out
    assert "usdr: uSDR" in printed
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    scores = [float(row["si_sdr_improvement"]) for row in rows if row["source"] == "bass"]
    mean, median = statistics.mean(scores), statistics.median(scores)
    line = "si_sdr improvement over the mixture in dB, mean / median of 3 tracks: "
    shown = next(text for text in printed.splitlines() if text.startswith(line))
    bass = next(part for part in shown[len(line) :].split(", ") if part.startswith("bass "))
    assert [float(number) for number in bass[5:].split(" / ")] == pytest.approx(
        [mean, median], abs=0.011
    )
    assert "…" not in printed  # no number is cut at 80 columns
    assert str(table) in printed
    lines = table.read_text().splitlines()
    assert len(lines) == 1 + 3 * len(stems)
    assert lines[0].startswith("track,source,si_sdr,si_sdr_improvement,usdr")
    assert {"ibm_si_sdr", "irm_si_sdr", "tpsa_si_sdr"} <= set(lines[0].split(","))


def test_no_file_is_written_unless_asked(folder, tmp_path, call, files, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    command = ("evaluate", "--model", folder / "run", "--data", folder / "songs", "--no-oracles")
    assert call(*command, "--measures", "snr") == 0
    assert files(tmp_path) == []
    (tmp_path / "mine.csv").write_text("mine")
    assert "which exists" in refused(*command, "--out", "mine.csv")


def test_evaluate_by_other_measures(folder, tmp_path, capsys, call, refused, files):
    command = ("evaluate", "--model", folder / "run", "--data", folder / "songs", "--no-oracles")
    table = tmp_path / "scores.csv"
    assert call(*command, "--csv", table, "--measures", "snr, bss_eval") == 0
    printed = capsys.readouterr().out
    for name in ("snr: SNR of each", "bss_sir: SIR, of source to interference, of BSS Eval v4"):
        assert name in printed
    assert "si_sdr" not in printed
    header = "track,source,snr,snr_improvement,bss_sdr,bss_sdr_improvement,bss_isr,bss_sir"
    assert table.read_text().startswith(header)
    assert "expected some of" in refused(
        *command, "--csv", tmp_path / "other.csv", "--measures", "sdr"
    )
    assert files(tmp_path) == ["scores.csv"]


def test_a_table_in_a_missing_folder_is_refused_at_once(folder, tmp_path, refused):
    command = ("evaluate", "--model", folder / "run", "--data", tmp_path / "nowhere")
    error = refused(*command, "--csv", tmp_path / "missing" / "scores.csv")
    assert "there is no folder" in error
