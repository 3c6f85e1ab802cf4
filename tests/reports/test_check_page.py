"""The page of a data set check: overview, problems, plots and tracks."""

import re

import numpy as np
import pytest

from kerasep import data
from kerasep.reports.check_page import check_page, duration, facts, overview


def noise(seed, seconds=0.2, channels=1):
    shape = (round(8000 * seconds), channels)
    return np.random.default_rng(seed).uniform(-0.4, 0.4, shape).astype("float32")


@pytest.fixture
def songs(tmp_path):
    for index in range(3):
        folder = tmp_path / "<songs>" / f"<b>{index}"
        folder.mkdir(parents=True)
        stems = {name: noise([index, number]) for number, name in enumerate(("bass", "vocals"), 1)}
        for name, samples in {**stems, "mixture": sum(stems.values())}.items():
            data.write(folder / f"{name}.wav", samples, 8000)
    return tmp_path / "<songs>"


def test_a_set_of_tracks(songs):
    data.write(songs / "<b>1" / "bass.wav", np.zeros((1600, 1), "float32"), 8000, overwrite=True)
    check = data.check(songs)
    assert overview(check) == "3 tracks, 0.6 s"
    assert facts(check) == {"rates": "8000 Hz (9)", "channels": "1 (9)"}
    page = check_page(check)
    assert page.count("data:image/png;base64,") == 4
    assert "<b>" not in page
    assert "http" not in page
    rows = re.findall(r"<tr><td>(?:silent|sum)</td><td>(.+?)</td>", page)
    assert rows == ["&lt;b&gt;1/bass", "&lt;b&gt;1"]
    assert "mixture above its difference" in page


def test_names_are_shown_as_text(tmp_path):
    """In pictures, where dollar signs mean mathematics, in HTML and in one line."""
    stems = (
        r"$\frac{$",
        "$x$",
        "<script>",
        "caf\udce9",
        "\u65e5\u672c\U0001f600",
        "a\nb",
        "[b]" * 9,
    )
    for number, stem in enumerate(stems):
        path = tmp_path / "caf\udce9 <i>" / "$\\frac{$ \u202e" / f"{stem}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        data.write(path, noise(number), 8000)
    page = check_page(data.check(tmp_path / "caf\udce9 <i>"))
    page.encode("utf-8")
    assert page.count("data:image/png;base64,") == 4
    assert "caf\\xe9 &lt;i&gt;" in page
    assert "$\\frac{$ \\u202e" in page
    assert "<td>&lt;script&gt;</td>" in page
    assert "<td>a\\nb</td>" in page
    assert "<script>" not in page
    assert "\u202e" not in page


def test_recordings_without_mixtures(tmp_path):
    for group in range(20):
        (tmp_path / f"speaker {group}").mkdir()
        data.write(tmp_path / f"speaker {group}" / f"{group}.wav", noise(group), 8000)
    check = data.check(tmp_path)
    assert overview(check) == "20 recordings of 20 groups, 4.0 s"
    page = check_page(check)
    assert "By group" in page
    assert "No problems were found." in page
    assert "<h2>Tracks</h2>" not in page


def test_nothing_can_be_read(songs):
    for path in songs.rglob("*.wav"):
        path.write_bytes(b"")
    check = data.check(songs)
    assert overview(check) == "3 tracks (3 unusable), 0.0 s"
    assert "No recording can be read." in check_page(check)


def test_long_lists_are_cut(tmp_path):
    for index in range(310):
        path = tmp_path / f"{index:03d}" / "vocals.wav"
        path.parent.mkdir()
        path.write_bytes(b"")
    page = check_page(data.check(tmp_path))
    assert page.count("10 more are not shown") == 2
    assert "299/vocals" in page
    assert "300/vocals" not in page


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (119, "119.0 s"), (120, "2.0 min"), (7200, "2.0 h")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text
