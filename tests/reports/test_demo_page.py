"""The page shows the scores and the curve that were computed, in order, and loads nothing."""

import pathlib
import re
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data
from kerasep.metrics import scores as score
from kerasep.reports import demo_page
from kerasep.reports.clip import Clip
from kerasep.reports.learning_curve import learning_curve

RATE = 44100
SOURCES = ("vocals", "drums", "bass", "other")
HISTORY = [
    {"steps": 3 * n, "seconds": 7.0 * n, "loss": None}
    | {source: 10 + index + 0.1 * n for index, source in enumerate(SOURCES)}
    for n in range(13)
]
SCORES = [
    {"source": source, "mixture": -1.5, "shipped": 8.25, "tuned": 9.0 + n, "improvement": 10.5 + n}
    | {"ideal": 14.75}
    for n, source in enumerate(SOURCES)
]


@pytest.fixture(scope="module")
def waveforms():
    stems = data.song(5, 3.0, RATE, channels=2)
    mixture = sum(stems.values())
    return stems, {name: stem + 0.1 * (mixture - stem) for name, stem in stems.items()}


def page(waveforms, clip=None):
    stems, estimates = waveforms
    exported = SimpleNamespace(
        metadata={"chunk": 264192, "channels": 2, "sample_rate": RATE, "sources": SOURCES},
        path=pathlib.Path("model.tflite"),
        bytes=5_700_000,
        snr_db=121.25,
        max_abs_error=3e-7,
        seconds=5.99,
    )
    return demo_page.demo_page(
        title="A song",
        lead="About it.",
        training="What it did.",
        songs=4,
        sample_rate=RATE,
        stems=stems,
        estimates=estimates,
        on_phone={name: 0.999 * wave for name, wave in estimates.items()},
        exported=exported,
        history=HISTORY,
        scores=SCORES,
        clip=clip,
    )


def test_the_sections_are_in_order_and_all_is_in_the_page(waveforms):
    text = page(waveforms)
    assert re.findall(r"<h2>(.+?)</h2>", text) == [
        "Listen",
        "Scores",
        "Fine-tuning",
        "The model for a phone",
        "What next",
    ]
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(addresses) == 16
    assert all(address.startswith("data:") for address in addresses)
    assert "http" not in re.sub(r"data:[^\"]+", "", text)
    assert "CLIP=song.mp3" in text


def test_the_scores_are_those_computed(waveforms):
    text = page(waveforms)
    for row in SCORES:
        assert f"<strong>{row['improvement']:+.1f}<small>" in text
        cells = [row["mixture"], row["shipped"], row["tuned"]]
        cells = [row["source"], *(f"{cell:.2f}" for cell in cells)]
        cells += [f"{row['improvement']:+.2f}", f"{row['ideal']:.2f}"]
        assert "".join(f"<td>{cell}</td>" for cell in cells) in text
    stems, estimates = waveforms
    keras = score(stems["bass"], estimates["bass"])["si_sdr"]
    assert f"<td>bass</td><td>{keras:.2f}</td><td>{keras:.2f}</td><td>60.00</td>" in text


def test_the_curve_has_a_point_per_round(waveforms):
    text = page(waveforms)
    assert text.count("<circle") == 4 * 13
    assert "<title>bass +13.20 dB after 36 steps, 84 s</title>" in text
    curve = learning_curve(HISTORY, SOURCES)
    heights = {row["label"]: row["y"] for row in curve["rows"]}
    per_db = heights["10"] - heights["12"]
    for line, start in zip(curve["lines"], (10, 11, 12, 13), strict=True):
        values = [10 + 2 * (heights["10"] - point["y"]) / per_db for point in line["points"]]
        np.testing.assert_allclose(values, start + 0.1 * np.arange(13))
        x = np.array([point["x"] for point in line["points"]])
        np.testing.assert_allclose(np.diff(x), np.diff(x)[0])


def test_a_visitors_song_comes_first_and_fits(waveforms):
    loud = np.random.default_rng(0).uniform(-1, 1, (30 * RATE, 2)).astype("float32")
    clip = Clip("<my song>.mp3", loud, RATE, 72, False)
    values = demo_page.clip_values(clip, {"vocals": loud, "accompaniment": loud}, "a/b")
    text = page(waveforms, values)
    assert re.findall(r"<h2>(.+?)</h2>", text)[:2] == ["Your song", "Listen"]
    assert "&lt;my song&gt;.mp3 from 1:12 to 1:42" in text
    assert len(text.encode()) < 4e6
