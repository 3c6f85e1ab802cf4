"""The demo, at a size that takes a minute."""

import io
import re

import pytest
from rich.console import Console

import kerasep
from kerasep import data
from kerasep.errors import InputError
from kerasep.reports import demo

SONGS = {part: {"count": 1, "seed": n, "seconds": 2.0} for n, part in enumerate(demo.SONGS, 3)}


@pytest.mark.slow
def test_the_demo_leaves_all_that_it_promises(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "SONGS", SONGS)
    screen = io.StringIO()
    clip = tmp_path / "clip.wav"
    data.write(clip, data.song(1, 2.0, 8000)["vocals"], 8000)
    page = demo.run(tmp_path / "demo", 0.0, Console(file=screen, width=200), clip=clip)
    text = page.read_text("utf-8")
    assert text.count("<audio") == 3 + 2 * 4
    assert text.count("<circle") == 4 * 13
    assert "clip.wav, separated into" in text
    shown = [float(value) for value in re.findall(r"<strong>([+-][\d.]+)<small>", text)]
    rows = kerasep.evaluation.evaluate(
        kerasep.zoo.load(tmp_path / "demo" / "run"),
        data.find_tracks(tmp_path / "demo" / "songs" / "test"),
        oracles=False,
    )
    assert shown == pytest.approx([row["si_sdr_improvement"] for row in rows], abs=0.06)
    assert min(shown) > 6
    assert {path.name for path in (tmp_path / "demo" / "stems").iterdir()} == {
        "vocals.wav",
        "drums.wav",
        "bass.wav",
        "other.wav",
    }
    assert kerasep.tflite.Runtime(tmp_path / "demo" / "model.tflite").chunk >= 6 * 44100
    assert len((tmp_path / "demo" / "scores.csv").read_text().splitlines()) == 1 + 4
    assert len((tmp_path / "demo" / "run" / "history.csv").read_text().splitlines()) == 1 + 13
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.wav", "demo"]
    with pytest.raises(InputError, match="overwrite"):
        demo.run(tmp_path / "demo", 0.0, Console(file=screen))


def test_ctrl_c_leaves_the_earlier_demo(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_write", interrupted)
    (tmp_path / "demo" / "songs").mkdir(parents=True)
    (tmp_path / "demo" / "report.html").write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        demo.run(tmp_path / "demo", 1, Console(file=io.StringIO()), overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert (tmp_path / "demo" / "report.html").read_text() == "earlier"


def interrupted(folder, *_):
    (folder / "songs").mkdir()
    raise KeyboardInterrupt


def test_an_earlier_demo_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(
        demo, "_write", lambda folder, *_: (folder / "report.html").write_text("new")
    )
    (tmp_path / "demo" / "songs").mkdir(parents=True)
    (tmp_path / "demo" / "report.html").write_text("earlier")
    page = demo.run(tmp_path / "demo", 1, Console(file=io.StringIO()), overwrite=True)
    assert page.read_text() == "new"
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["report.html"]
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_clip_that_is_no_audio_is_refused_at_once(tmp_path):
    (tmp_path / "clip.mp3").write_text("no audio")
    with pytest.raises(InputError, match=r"clip\.mp3"):
        demo.run(tmp_path / "demo", 1, Console(file=io.StringIO()), clip=tmp_path / "clip.mp3")
    assert not (tmp_path / "demo").exists()


def test_a_folder_with_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="holds files"):
            demo.run(tmp_path, 1, Console(file=io.StringIO()), overwrite=overwrite)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
