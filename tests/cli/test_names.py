"""Names that a terminal, page or table could misinterpret, in every command."""

import csv
import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from kerasep import cli, data, zoo

NAMES = (
    "caf\udce9",
    "=1+1",
    "line\nfeed",
    "\x1b]0;t\x07\x1b[31m",
    "\u202ertl",
    "[b]x :star:",
    "日",
)
SHOWN = (r"caf\xe9", "=1+1", r"line\nfeed", r"\x1b]0;t\x07\x1b[31m", r"\u202ertl", "[b]x :star:")
IN_A_TABLE = {*SHOWN, "'=1+1"} - {"=1+1"}
# Characters that a terminal interprets, and those that UTF-8 cannot encode.
ACTED_UPON = {*"\x1b\x07\u202e", *map(chr, range(0xD800, 0xE000))}


@pytest.fixture
def songs(tmp_path):
    """A data set in a folder whose name is not UTF-8, with one damaged track."""
    folder = tmp_path / "set\udcff \x1b[31m"
    for number, name in enumerate(NAMES):
        for part, stem in enumerate(("vocals", r"$\frac{$", "-x\udcfe")):
            path = folder / name / f"{stem}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng([number, part]).uniform(-0.3, 0.3, (8000, 1))
            data.write(path, noise, 8000)
    (folder / "bad\udce9").mkdir()
    (folder / "bad\udce9" / "vocals.wav").touch()
    return folder


def call(monkeypatch, encoding, *arguments):
    """Run the command line on a terminal of an encoding; return status, output and errors."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["kerasep", *map(str, arguments)])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out.flush()
        err.flush()
    printed, errors = (stream.buffer.getvalue().decode(encoding) for stream in (out, err))
    assert not ACTED_UPON & {*printed, *errors}
    return ended.value.code or 0, printed, errors


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["cp1252", "C"],
)
def test_data_check(songs, tmp_path, environment):
    page, table = tmp_path / "caf\udce9.html", tmp_path / "caf\udce9.csv"
    command = [sys.executable, "-m", "kerasep", "data", "check", songs, "--html", page]
    environment = {**os.environ, "PYTHONIOENCODING": "", **environment}
    done = subprocess.run([*command, "--csv", table], capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")

    text = done.stdout.decode("ascii")
    assert not ACTED_UPON & {*text}
    assert r"set\xff \x1b[31m: stems folders, 8 tracks (1 unusable)" in text
    assert r"unreadable: bad\xe9/vocals: " in text
    assert r"|$\frac{$" in text

    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["track"] for row in rows} == {*IN_A_TABLE, "日", r"bad\xe9"}
    assert {row["stem"] for row in rows} == {"vocals", r"$\frac{$", r"'-x\xfe"}
    assert min(float(row["rms_db"]) for row in rows if row["rms_db"]) < -10

    content = page.read_text("utf-8")
    assert content.count("data:image/png;base64,") == 4
    assert all(f"<td>{name}</td>" in content for name in (*SHOWN, "日"))
    assert not ACTED_UPON & {*content}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_boxes_on_any_terminal(monkeypatch, encoding):
    status, printed, errors = call(monkeypatch, encoding, "list")
    assert (status, errors) == (0, "")
    assert "unet_like/karaoke*" in printed
    assert "\\u" not in printed
    status, printed, errors = call(monkeypatch, encoding, "show", "unet_like/karaoke", "--graph")
    assert (status, errors) == (0, "")
    corner, rule = ("┏━", "├─") if encoding == "utf-8" else ("+-", "+-")
    assert f"\n{corner}" in printed
    assert f"\n{rule}" in printed
    assert "(TrueDivide)" in printed
    assert "\\u" not in printed


@pytest.mark.slow
def test_every_step_from_training_on(songs, tmp_path, monkeypatch):
    """Folders and files of results have such names too."""
    end = "\udce9\x1b[31m$"
    run, shards, model = (tmp_path / f"{name}{end}" for name in ("run", "shards", "m"))
    settings = ("--sources", "vocals", "--sample-rate", 8000, "--epochs", 1, "--batch-size", 2)
    train = ("train", "open_unmix_like/small", *settings, "--crop-seconds", 0.4)
    train += ("--crops-per-track", 1)
    commands = [
        (*train, "--data", songs, "--out", run),
        ("separate", songs / "caf\udce9/vocals.wav", "-m", run, "--out", tmp_path / f"stems{end}"),
        ("evaluate", "-m", run, "--data", songs, "--csv", tmp_path / "t.csv", "--no-oracles"),
        ("prepare", songs, "-m", run, "--out", shards),
        (*train, "--data", shards, "--out", tmp_path / f"second{end}"),
        ("export", "-m", run, "--out", f"{model}.tflite", "--seconds", 0.5, "--no-check"),
        ("bench", f"{model}.tflite", "--rounds", 1, "--runs", 1, "--csv", tmp_path / f"b{end}.csv"),
    ]
    said = []
    for command in commands:
        status, printed, errors = call(monkeypatch, "ascii", *command)
        assert status == 0, errors
        said.append(printed)
    assert r"run\xe9\x1b[31m$/model.keras: 1 epochs" in said[0]
    assert (tmp_path / f"stems{end}" / "vocals" / "vocals.wav").is_file()
    assert all(f"|{name} " in said[2] for name in SHOWN)
    with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["track"] for row in rows} == {*IN_A_TABLE, "日"}
    assert all(np.isfinite(float(row["si_sdr"])) for row in rows)


def test_an_error_is_one_line_whatever_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # data serve would leave its handlers
    name = "".join(NAMES)
    missing = tmp_path / name
    commands = [
        ("separate", missing, "-m", "unet_like/karaoke", "--out", tmp_path / "out"),
        ("separate", "--manifest", missing, "-m", missing, "--out", tmp_path / "out"),
        ("separate", "a.wav", "-m", missing, "--out", tmp_path / "out"),
        ("train", name, "--data", missing, "--out", tmp_path / "out"),
        ("train", "open_unmix_like/small", "--data", missing, "--out", tmp_path / "out"),
        ("evaluate", "-m", f"{missing}.keras", "--data", missing),
        ("export", "-m", missing, "--out", f"{missing}.tflite"),
        ("import", missing, "--as", "open_unmix_like/umx", "--out", f"{missing}.keras"),
        ("bench", missing),
        ("stream", "-m", missing, "--in", missing, "--out", tmp_path / "out"),
        ("data", "check", missing),
        ("data", "check", tmp_path, "--csv", missing / "a.csv"),
        ("data", "serve", "--dispatcher", name),
        ("prepare", missing, "-m", "open_unmix_like/small", "--out", tmp_path / "out"),
        ("show", name),
        ("demo", "--clip", missing, "--out", tmp_path / "out"),
        ("demo", f"--{name}"),
        (name,),
    ]
    for command in commands:
        status, _, errors = call(monkeypatch, "cp1252", *command)
        assert (status, errors.count("\n")) == (2, 1), (command, errors)
        assert errors.startswith("kerasep: ")


def test_a_list_of_files_as_windows_writes_it(tmp_path, monkeypatch):
    pytest.importorskip("apache_beam", reason="the extra beam is not installed")
    (tmp_path / "list.txt").write_text("日.wav\r\n", "utf-16")
    zoo.load("open_unmix_like/small", sources=["vocals"], hidden=8).save(tmp_path / "m.keras")
    command = ("separate", "--manifest", tmp_path / "list.txt", "-m", tmp_path / "m.keras")
    options = ("--runner-option", "direct_running_mode=in_memory", "--out", tmp_path / "out")
    status, _, _ = call(monkeypatch, "ascii", *command, *options)
    assert status == 2
    assert "日.wav is missing" in (tmp_path / "out" / "failures.csv").read_text("utf-8")
