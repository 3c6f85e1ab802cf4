"""Finding tracks on disk and reading parts of them."""

import os
from pathlib import Path

import numpy as np
import pytest

from kerasep.data import audio
from kerasep.data.tracks import find_tracks
from kerasep.errors import InputError

AUDIO = Path(os.environ.get("KERASEP_AUDIO", "no-recordings"))
MUSDB = AUDIO / "musdb_sample/train"
RATE = 16000


def noise(seconds=1.0, channels=1, rate=RATE, seed=0):
    shape = (round(seconds * rate), channels)
    return np.random.default_rng(seed).uniform(-0.3, 0.3, shape).astype("float32")


def make(folder, rate=RATE, **stems):
    folder.mkdir(parents=True)
    for name, waveform in stems.items():
        audio.write(folder / f"{name}.wav", waveform, rate)


def test_mixture_is_the_sum_of_all_stems(tmp_path):
    vocals, bass, other = (noise(seed=seed) for seed in range(3))
    make(tmp_path / "b", vocals=vocals, bass=bass, other=other, mixture=noise(seed=9))
    make(tmp_path / "a", vocals=vocals, bass=bass, other=other)
    (tmp_path / "notes").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("no audio")
    tracks = find_tracks(tmp_path, ("vocals", "bass"))
    assert [track.name for track in tracks] == ["a", "b"]
    mixture, stems = tracks[1].read(("bass", "vocals"), RATE, 1, start=0.25, seconds=0.5)
    assert mixture.dtype == stems.dtype == np.float32
    np.testing.assert_array_equal(stems[:, :, 0], bass[4000:12000])
    np.testing.assert_array_equal(stems[:, :, 1], vocals[4000:12000])
    np.testing.assert_allclose(mixture, (vocals + bass + other)[4000:12000], atol=1e-6)


def test_shorter_stems_are_silent_after_their_end(tmp_path):
    vocals, bass = noise(1.0), noise(0.5, seed=1)
    make(tmp_path / "a", vocals=vocals, bass=bass)
    (track,) = find_tracks(tmp_path)
    assert track.duration == 1.0
    mixture, stems = track.read(("vocals", "bass"), RATE, 1, seconds=1.5)
    assert len(mixture) == 24000
    np.testing.assert_array_equal(stems[:8000, :, 1], bass)
    assert not stems[8000:, :, 1].any()
    np.testing.assert_array_equal(stems[:16000, :, 0], vocals)
    assert not mixture[16000:].any()
    assert not track.read(("bass",), RATE, 1, start=0.75)[1].any()


def test_channels_and_rates_are_converted(tmp_path):
    time = np.arange(44100)[:, None] / 44100
    tone = 0.3 * np.sin(2 * np.pi * 500 * time) * [1.0, 0.5]
    make(tmp_path / "a", 44100, vocals=tone)
    audio.write(tmp_path / "a" / "bass.flac", noise(), RATE)
    (track,) = find_tracks(tmp_path)
    mixture, stems = track.read(("vocals", "bass"), 8000, 2, start=0.25, seconds=0.5)
    assert mixture.shape == (4000, 2)
    expected = 0.3 * np.sin(2 * np.pi * 500 * (0.25 + np.arange(4000)[:, None] / 8000)) * [1, 0.5]
    np.testing.assert_allclose(stems[:, :, 0], expected, atol=1e-3)
    np.testing.assert_array_equal(stems[:, 0, 1], stems[:, 1, 1])
    _, mono = track.read(("vocals",), 8000, 1, start=0.25, seconds=0.5)
    np.testing.assert_allclose(mono[:, 0, 0], expected.mean(axis=1), atol=1e-3)
    make(tmp_path / "b", vocals=noise(channels=3))
    with pytest.raises(InputError, match=r"vocals.wav has 3 channels, the model 2"):
        find_tracks(tmp_path)[1].read(("vocals",), RATE, 2)


@pytest.mark.parametrize("seconds", [0.3333, 0.1, 0.77777])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100])
def test_sample_counts_are_exact(tmp_path, seconds, rate):
    make(tmp_path / "a", 22050, vocals=noise(rate=22050))
    mixture, _ = find_tracks(tmp_path)[0].read(("vocals",), rate, 1, start=0.1, seconds=seconds)
    assert len(mixture) == round(seconds * rate)
    assert mixture[-5:].any()


def test_accompaniment_is_all_but_the_vocals(tmp_path):
    vocals, bass, drums = (noise(seed=seed) for seed in range(3))
    make(tmp_path / "a", vocals=vocals, bass=bass, drums=drums)
    (track,) = find_tracks(tmp_path, ("vocals", "accompaniment"))
    mixture, stems = track.read(("accompaniment",), RATE, 1)
    np.testing.assert_allclose(stems[:, :, 0], bass + drums, atol=1e-6)
    np.testing.assert_allclose(mixture, vocals + bass + drums, atol=1e-6)
    with pytest.raises(InputError, match="bass would be counted twice"):
        find_tracks(tmp_path, ("bass", "accompaniment"))
    make(tmp_path / "b", vocals=vocals, accompaniment=drums)
    _, stems = find_tracks(tmp_path)[1].read(("accompaniment",), RATE, 1)
    np.testing.assert_array_equal(stems[:, :, 0], drums)


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="nowhere is no folder"):
        find_tracks(tmp_path / "nowhere", ("vocals",))
    with pytest.raises(InputError, match=r"has no track: expected FOLDER/<track>/<stem>.wav"):
        find_tracks(tmp_path, ("vocals",))
    make(tmp_path / "a", vocals=noise(), bass=noise())
    with pytest.raises(InputError, match="track 'a' has no stem 'vocal', it has bass, vocals"):
        find_tracks(tmp_path, ("vocal",))
    make(tmp_path / "only", vocals=noise())
    with pytest.raises(InputError, match="track 'only' has no stem 'accompaniment'"):
        find_tracks(tmp_path, ("accompaniment",))
    with pytest.raises(InputError, match="lasts 1 s"):
        find_tracks(tmp_path)[0].read(("vocals",), RATE, 1, start=2)
    audio.write(tmp_path / "a" / "vocals.flac", noise(), RATE)
    with pytest.raises(InputError, match="two files for stem 'vocals'"):
        find_tracks(tmp_path)
    (tmp_path / "a" / "vocals.flac").unlink()
    (tmp_path / "a" / "vocals.wav").write_text("no audio")
    with pytest.raises(InputError, match=r"vocals.wav is not audio"):
        find_tracks(tmp_path)


@pytest.mark.skipif(not MUSDB.exists(), reason=f"no MUSDB18 sample at {MUSDB}")
def test_musdb():
    (track,) = find_tracks(MUSDB, ("vocals", "drums", "bass", "other"))
    assert track.name == "Music Delta - 80s Rock"
    assert track.duration == 6.8
    mixture, stems = track.read(("vocals", "accompaniment"), 44100, 2)
    given, _ = audio.read(track.stems["vocals"].path, stream=0)
    np.testing.assert_allclose(mixture, stems.sum(axis=-1), atol=1e-6)
    # The mixture stream was encoded on its own: it is the sum of the stems but for coding noise.
    assert 10 * np.log10(np.square(given).mean() / np.square(given - mixture).mean()) > 15
