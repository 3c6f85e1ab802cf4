"""A folder per track with a file per stem, and clips of one song."""

import pytest

from kerasep.data.datasets.layouts.source_folders import source_folders
from kerasep.data.datasets.layouts.stems_folders import song_of, stems_folders


def test_any_names_of_stems(tmp_path, record):
    record("a/kick.wav", "a/Sitar.flac", "a/mixture.wav", "b/kick.wav", "b/sitar.wav", "b/mix.wav")
    found = stems_folders(tmp_path)
    assert [track.name for track in found.tracks] == ["a", "b"]
    assert all(track.stems.keys() == {"kick", "sitar"} for track in found.tracks)
    assert [track.mixture.path.name for track in found.tracks] == ["mixture.wav", "mix.wav"]
    assert {track.split for track in found.tracks} == {None}
    assert found.skipped == []


def test_splits_by_folder(tmp_path, record):
    record(*(f"{part}/{song}/vocals.wav" for part in ("train", "valid", "test") for song in "ab"))
    record("more/c/vocals.wav")
    found = stems_folders(tmp_path)
    assert [(track.split, track.name) for track in found.tracks] == [
        *(("test", "a"), ("test", "b"), ("train", "a"), ("train", "b")),
        *(("valid", "a"), ("valid", "b")),
    ]
    assert found.skipped == [f"{tmp_path / 'more'}: neither train, valid nor test"]


def test_a_song_called_test_is_a_song(tmp_path, record):
    record("Test/vocals.wav", "Train/vocals.wav", "Other/vocals.wav")
    tracks = stems_folders(tmp_path).tracks
    assert [(track.split, track.name) for track in tracks] == [
        (None, "Other"),
        (None, "Test"),
        (None, "Train"),
    ]


@pytest.mark.parametrize(
    "files",
    [
        ["p225/p225_001.wav", "p225/p225_002.wav", "p226/p226_001.wav"],
        ["84/1/84-1-0.flac", "174/2/174-2-0.flac"],
        ["george/0.wav", "george/1.wav", "theo/0.wav", "theo/1.wav"],
        ["vocals/song1.wav", "vocals/song2.wav", "drums/song1.wav", "drums/song2.wav"],
    ],
)
def test_folders_of_speakers_or_instruments_are_no_tracks(tmp_path, record, files):
    record(*files)
    assert stems_folders(tmp_path) is None
    assert {group.name for group in source_folders(tmp_path).groups} == {
        name.split("/")[0] for name in files
    }


def test_one_odd_track_does_not_change_what_the_folder_is(tmp_path, record):
    record("a/vocals.wav", "a/bass.wav", "b/vocals.wav", "b/bass.wav", "c/my voice.wav")
    assert len(stems_folders(tmp_path).tracks) == 3


def test_what_belongs_to_no_track_is_noted(tmp_path, record):
    record("a/vocals.wav", "b/vocals.wav", "b/vocals.flac", "c/vocals.wav", "loose.wav")
    (tmp_path / "notes.txt").write_text("no audio")
    found = stems_folders(tmp_path)
    assert [track.name for track in found.tracks] == ["a", "c"]
    assert found.skipped == [
        f"{tmp_path / 'b'}: two files for stem 'vocals', remove one",
        f"{tmp_path / 'loose.wav'}: not in the folder of a track",
    ]


@pytest.mark.parametrize(
    ("name", "song"),
    [
        ("abjones_1_01", "abjones_1"),
        ("amy-12-3", "amy-12"),
        ("Ballad part 2", "Ballad"),
        ("Ballad_clip03", "Ballad"),
        ("song_0001", None),
        ("Track00001", None),
        ("Artist - Title", None),
        ("Artist - Title 2", None),
        ("part 2", None),
        ("2_3", None),
        ("1", None),
    ],
)
def test_song_of(name, song):
    assert song_of(name) == song
