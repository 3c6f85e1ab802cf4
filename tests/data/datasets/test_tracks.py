"""Finding tracks and reading parts of them."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasep.data import audio
from kerasep.data.datasets.tracks import Track, find_tracks, hold_out
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
    with pytest.raises(InputError, match="nowhere is not a folder"):
        find_tracks(tmp_path / "nowhere", ("vocals",))
    with pytest.raises(
        InputError,
        match=r"has no track or recording in a known layout: expected FOLDER/<track>/<stem>.wav",
    ):
        find_tracks(tmp_path, ("vocals",))
    make(tmp_path / "a", vocals=noise(), bass=noise())
    with pytest.raises(InputError, match="track 'a' has no stem 'vocal', it has bass, vocals"):
        find_tracks(tmp_path, ("vocal",))
    make(tmp_path / "only", vocals=noise())
    with pytest.raises(InputError, match="track 'only' has no stem 'accompaniment'"):
        find_tracks(tmp_path, ("accompaniment",))
    with pytest.raises(InputError, match="lasts 1 s"):
        find_tracks(tmp_path)[0].read(("vocals",), RATE, 1, start=2)


def test_tracks_that_cannot_be_used_are_left_out(tmp_path, caplog):
    make(tmp_path / "a", vocals=noise(), bass=noise())
    make(tmp_path / "b", vocals=noise(), bass=noise())
    audio.write(tmp_path / "b" / "vocals.flac", noise(), RATE)
    make(tmp_path / "c", vocals=noise(), bass=noise())
    (tmp_path / "c" / "bass.wav").write_text("no audio")
    with caplog.at_level("INFO"):
        assert [track.name for track in find_tracks(tmp_path, ("vocals",))] == ["a"]
    two_files, no_audio, summary = caplog.messages
    assert two_files == f"skipped {tmp_path / 'b'}: two files for stem 'vocals', remove one"
    assert "skipped track 'c':" in no_audio
    assert "bass.wav is not audio" in no_audio
    assert summary == f"{tmp_path}: stems folders, 1 tracks (2 skipped)"
    (tmp_path / "a" / "bass.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"has no track that can be used: track 'c': .*bass.wav"):
        find_tracks(tmp_path)


def test_a_source_in_several_recordings_is_their_sum(tmp_path):
    lead, choir, bass = (noise(seed=seed) for seed in range(3))
    make(tmp_path / "a", bass=bass)
    make(tmp_path / "a" / "vocals", lead=lead, choir=choir)
    (track,) = find_tracks(tmp_path, ("vocals", "bass"))
    assert sorted(track.stems) == ["bass", "vocals/choir", "vocals/lead"]
    mixture, stems = track.read(("vocals", "accompaniment"), RATE, 1)
    np.testing.assert_allclose(stems[:, :, 0], lead + choir, atol=1e-6)
    np.testing.assert_allclose(stems[:, :, 1], bass, atol=1e-6)
    np.testing.assert_allclose(mixture, lead + choir + bass, atol=1e-6)
    _, stems = track.read(("vocals/lead",), RATE, 1)
    np.testing.assert_array_equal(stems[:, :, 0], lead)
    with pytest.raises(InputError, match="vocals/lead would be counted twice"):
        track.groups(("vocals/lead", "vocals"))


def test_songs_are_held_out_with_all_their_clips(tmp_path):
    for song in range(1, 12):
        for clip in (1, 2):
            make(tmp_path / f"amy_{song}_{clip:02d}", vocals=noise(0.1), bass=noise(0.1))
    tracks = find_tracks(tmp_path)
    train, valid = hold_out(tracks)
    assert {track.song for track in valid} == {"amy_10", "amy_9"}
    assert len(valid) == 4
    assert sorted(train + valid, key=lambda track: track.name) == tracks
    assert hold_out(tracks[:2]) == (tracks[:2], [])


CLIPS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), unique=True, max_size=60)


@given(CLIPS)
def test_no_song_is_on_both_sides(clips):
    tracks = [Track(f"{song}_{clip}", {}, song=f"song {song}") for song, clip in clips]
    train, valid = hold_out(tracks)
    assert len(train) + len(valid) == len(tracks)
    assert {track.name for track in train + valid} == {track.name for track in tracks}
    songs = {track.song for track in tracks}
    held = {track.song for track in valid}
    assert not held & {track.song for track in train}
    assert len(held) == (-(-len(songs) // 10) if len(songs) > 1 else 0)


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
