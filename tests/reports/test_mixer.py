"""The mixer's sounds are the waveforms, and its pictures show where their energy is."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from kerasep.reports.mixer import mixer, mp3
from kerasep.reports.spectrograms import loudest_level, spectrogram

image = pytest.importorskip("matplotlib.image")


def tone(hertz, rate=44100, seconds=1.0, channels=2):
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, 1).astype("float32")


def content(address):
    return io.BytesIO(base64.b64decode(re.sub(r"^data:.*?;base64,", "", address)))


def opacity(address):
    return image.imread(content(address), format="png")[..., 3]


@pytest.mark.parametrize(("rate", "played"), [(44100, 44100), (8000, 8000), (96000, 48000)])
def test_mp3_holds_the_waveform(rate, played):
    wave = tone(500, rate, channels=1)
    decoded, decoded_rate = soundfile.read(content(mp3(wave, rate)), always_2d=True)
    assert decoded_rate == played
    assert len(decoded) == pytest.approx(played, abs=1200)
    middle = decoded[played // 4 : played // 2, 0]
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=0.03)
    peak = np.abs(np.fft.rfft(middle)).argmax() * played / len(middle)
    assert peak == pytest.approx(500, abs=5)


@pytest.mark.parametrize("hertz", [60, 440, 9000])
def test_a_tone_is_opaque_at_its_frequency(hertz):
    rows = opacity(spectrogram(tone(hertz), 44100)).mean(axis=1)
    expected = 96 * (1 - np.log(hertz / 40) / np.log(16000 / 40))
    assert rows.argmax() == pytest.approx(expected, abs=2)
    assert rows.max() > 0.9
    assert np.median(rows) < 0.3


def test_levels_of_pictures_compare():
    loud = tone(440)
    level = loudest_level(loud, 44100)
    assert loudest_level(0.1 * loud, 44100) == pytest.approx(level - 20, abs=0.1)
    soft = opacity(spectrogram(0.01 * loud, 44100, loudest=level)).max()
    assert soft == pytest.approx((1 - 40 / 70) ** 1.5, abs=0.06)
    assert opacity(spectrogram(0 * loud, 44100, loudest=level)).max() == 0


def test_stems_are_in_the_modes_that_have_them():
    modes = {"original": {"mixture": tone(440)}, "separated": {"vocals": tone(880), "a": tone(99)}}
    mix = mixer(modes, 44100)
    assert mix["seconds"] == 1.0
    assert mix["modes"] == ["original", "separated"]
    assert [(stem["name"], [take["mode"] for take in stem["takes"]]) for stem in mix["stems"]] == [
        ("mixture", ["original"]),
        ("vocals", ["separated"]),
        ("a", ["separated"]),
    ]
    assert mix["stems"][1]["takes"][0]["audio"] == mp3(tone(880), 44100)
