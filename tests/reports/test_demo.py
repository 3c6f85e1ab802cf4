"""The demo, at a size that takes seconds."""

import io

import pytest
from rich.console import Console

import kerasep
from kerasep import data
from kerasep.errors import InputError
from kerasep.reports import demo


@pytest.mark.slow
def test_the_demo_leaves_all_that_it_promises(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "SONGS", 4)
    monkeypatch.setattr(demo, "HELD_OUT", 1)
    monkeypatch.setattr(demo, "SECONDS", 4.0)
    screen = io.StringIO()
    clip = tmp_path / "clip.wav"
    data.write(clip, data.song(1, 2.0, 44100, channels=2)["vocals"], 44100)
    page = demo.run(tmp_path / "demo", 0.05, Console(file=screen), clip=clip)
    text = page.read_text("utf-8")
    assert text.count("<audio") == 1 + 3 * 4 + 3
    assert "Your clip" in text
    assert "agrees with Keras to" in text
    assert "SI-SDR" in screen.getvalue()
    assert {path.name for path in (tmp_path / "demo" / "stems").iterdir()} == {
        "vocals.wav",
        "drums.wav",
        "bass.wav",
        "other.wav",
    }
    assert kerasep.tflite.Runtime(tmp_path / "demo" / "model.tflite").chunk == 96000
    assert len((tmp_path / "demo" / "scores.csv").read_text().splitlines()) == 1 + 4
    with pytest.raises(InputError, match="overwrite"):
        demo.run(tmp_path / "demo", 0.05, Console(file=screen))


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
