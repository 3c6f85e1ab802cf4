"""Parts of a page, which holds all its sounds and pictures itself."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from kerasep.reports import report


@pytest.fixture(scope="module")
def tone():
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000, dtype="float32")[:, None]


def embedded(html, kind):
    return [base64.b64decode(text) for text in re.findall(rf'"data:{kind};base64,([^"]+)"', html)]


def test_players_hold_the_sound_itself(tone):
    html = report.players({"a tone": tone, "silence": 0 * tone}, 8000)
    sounds = [soundfile.read(io.BytesIO(data)) for data in embedded(html, "audio/flac")]
    assert [rate for _, rate in sounds] == [8000, 8000]
    np.testing.assert_allclose(sounds[0][0], tone[:, 0], atol=1e-4)
    assert not sounds[1][0].any()


def test_spectrograms_are_pictures_and_differ(tone):
    pictures = embedded(report.players({"a": tone, "b": 0 * tone}, 8000), "image/png")
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]


def test_curve_draws_epochs_without_validation_too():
    history = [{"seconds": 60.0 * n, "loss": 1 / n} for n in (1, 2, 3)]
    html = report.curve(history, {"loss": "training", "val_loss": "validation"})
    assert len(embedded(html, "image/png")) == 1


def test_table_shows_numbers_gaps_and_highlights():
    html = report.table([{"a": 1.234, "b": None}, {"a": -5.0, "b": "x"}], own=[1])
    assert "<td>1.23</td><td>-</td>" in html
    assert "<tr class=own><td>-5.00</td>" in html


def test_text_is_escaped_and_nothing_is_fetched(tone):
    html = report.page("<b>", "a & b", [("x < y", report.players({"<i>": tone}, 8000))])
    assert "<b>" not in html
    assert "&lt;i&gt;" in html
    assert "a &amp; b" in html
    assert "http" not in html


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    report.write_page("first", tmp_path / "page.html")
    with pytest.raises(UnicodeEncodeError):
        report.write_page("second \udcff", tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "first"
