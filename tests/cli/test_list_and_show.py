"""`kerasep list` and `kerasep show`: what they print is what the presets and the results say."""

import csv
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

import pytest

from kerasep import zoo

ROOT = pathlib.Path(__file__).parents[2]


def scored():
    return [
        (name, weights["scores"])
        for name in zoo.list_entries()
        for weights in zoo.describe(name)["weights"].values()
        if "scores" in weights
    ]


@pytest.mark.parametrize(("name", "scores"), scored(), ids=[name for name, _ in scored()])
def test_scores_are_those_that_were_measured(name, scores):
    with open(ROOT / scores["results"], newline="") as file:
        rows = list(csv.DictReader(file))
    sources = zoo.describe(name)["arguments"]["sources"]
    assert sorted(scores["si_sdr_improvement"]) == sorted(sources)
    for source, score in scores["si_sdr_improvement"].items():
        values = [float(row["si_sdr_improvement"]) for row in rows if row["source"] == source]
        assert score == pytest.approx(statistics.mean(values), abs=0.0051)
    assert f"({len({row['track'] for row in rows})} " in scores["data"]


def test_all_weights_in_the_package_are_scored():
    shipped = [
        name
        for name in zoo.list_entries()
        if any("file" in weights for weights in zoo.describe(name)["weights"].values())
    ]
    assert shipped == [name for name, _ in scored()]
    assert len(shipped) >= 11


@pytest.mark.parametrize(
    "name", ["mdx_net_like/karaoke", "unet_like/karaoke", "conv_tasnet_like/karaoke"]
)
def test_cards_agree(name):
    card = (ROOT / "zoo" / name.split("/")[0] / "card.md").read_text("utf-8")
    scores = dict(scored())[name]["si_sdr_improvement"]
    assert f"**{scores['vocals']:.2f} / " in card
    assert f"| {scores['accompaniment']:.2f} / " in card


def test_the_list_fits_80_columns(call, capsys):
    assert call("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in lines if "_like/" in line}
    assert [re.sub(r"[*+-]$", "", name) for name in rows] == [
        re.sub(r"[*+]$", "", name) for name in zoo.list_entries()
    ]
    # M, G/s, kHz, channels, sources, dB, licence.
    assert rows["unet_like/karaoke*"] == ["2.54", "0.50", "16", "1", "2", "11.0", "research"]
    assert rows["open_unmix_like/umxse+"][-2:] == ["at", "origin"]
    assert rows["wavenet_like/singing-"][-1] == "MIT"
    assert rows["unet_like/wide"] == ["19.7", "2.21", "44.1", "2", "2"]
    assert rows["open_unmix_like/karaoke_causal*"][5] == "128"  # ms
    for mark in "*+-":
        assert any(line.startswith(f"{mark} ") for line in lines)


def test_the_list_as_json(call, capsys):
    assert call("list", "--json") == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert [*entries] == zoo.list_entries()
    karaoke = entries["open_unmix_like/karaoke_causal"]
    assert karaoke["latency_seconds"] == pytest.approx(0.128)
    assert karaoke["weights"]["mir1k"]["licence"] == "research use only"
    assert karaoke["weights"]["mir1k"]["scores"]["si_sdr_improvement"]["vocals"] == 10.55
    assert entries["unet_like/wide"]["weights"] == {}


def test_the_list_of_published_weights(call, capsys):
    assert call("list", "--published") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in lines if "_like/" in line}
    assert len(rows) == len(zoo.catalogue())
    assert rows["open_unmix_like/umxl", "umxl"] == ["6.3", "CC", "BY-NC-SA"]
    assert rows["mdx_net_like/vocals", "musdb18hq"] == ["30", "9.6", "MIT"]
    assert rows["wavenet_like/singing", "musdb18-"] == ["MIT"]
    assert rows["demucs_like/demucs48_hq", "musdb18hq"] == ["598", "research"]
    assert rows["bs_roformer_like/viperx", "vocals_1297"][-2:] == ["not", "stated"]


def test_the_list_of_published_weights_as_json(call, capsys):
    assert call("list", "--published", "--json") == 0
    assert json.loads(capsys.readouterr().out) == zoo.catalogue()


def test_every_card_fits_80_columns(call, capsys):
    for name in zoo.list_entries():
        assert call("show", name) == 0
        lines = capsys.readouterr().out.splitlines()
        links = ("https://", "kerasep ")
        assert all(len(line) <= 80 for line in lines if not any(k in line for k in links)), name
        assert lines[0] == name


def test_a_card(call, capsys):
    assert call("show", "unet_like/karaoke") == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "separates vocals, accompaniment audio 16 kHz, mono",
        "in the package, 4.3 MB licence research use only trained on MIR-1K",
        "vocals 11.02 dB, accompaniment 11.05 dB; on MIR-1K, singers annar and ariel (82 clips)",
        "kerasep separate song.mp3 --model unet_like/karaoke",
    ):
        assert words in text
    assert call("show", "open_unmix_like/umxhq") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "reported SDR: vocals 6.25 dB, drums 6.04 dB, bass 5.07 dB, other 4.28 dB; on" in text
    assert "by https://github.com/sigsep/open-unmix-pytorch" in text
    assert call("show", "wavenet_like") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "checkpoint.00058-0.hdf5 by hand, then kerasep import" in text
    assert "kerasep separate song.mp3 --model run" in text
    assert call("show", "open_unmix_like/causal") == 0
    text = capsys.readouterr().out
    assert "none: train it first" in text
    assert "kerasep separate song.mp3 --model run" in text
    assert "93 ms: works live" in text
    assert "--mode streaming" in text
    assert call("show", "open_unmix_like/umx", "--json") == 0
    assert json.loads(capsys.readouterr().out) == zoo.describe("open_unmix_like/umx")


def test_neither_loads_keras_and_completion_does_not(tmp_path):
    script = (
        "import sys; sys.argv = ['kerasep'] + sys.argv[1:]\n"
        "import atexit; atexit.register(lambda: print('keras' in sys.modules))\n"
        "from kerasep.cli import main; main()"
    )

    def run(*arguments, **environment):
        command = [sys.executable, "-c", script, *arguments]
        environment = {**os.environ, **environment}
        return subprocess.run(command, capture_output=True, text=True, env=environment).stdout

    assert run("list").endswith("False\n")
    assert run("list", "--published").endswith("False\n")
    assert run("show", "unet_like").endswith("False\n")
    completing = {
        "_KERASEP_COMPLETE": "complete_bash",
        "COMP_WORDS": "kerasep separate song.wav --model unet_like/ka",
        "COMP_CWORD": "4",
    }
    assert run(**completing).split() == ["unet_like/karaoke", "False"]
