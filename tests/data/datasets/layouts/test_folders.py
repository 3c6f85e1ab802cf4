"""Listing folders: splits, hidden files, links, permissions and names."""

import os
import unicodedata

import pytest

from kerasep.data import find_pool, find_tracks
from kerasep.data.datasets.layouts.folders import entries, split_folders, split_of
from kerasep.errors import InputError


def names(tracks):
    return [track.name for track in tracks]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("train-clean-100", "train"),
        ("tr", "train"),
        ("cv", "valid"),
        ("dev", "valid"),
        ("validation", "valid"),
        ("VALID", "valid"),
        ("tt", "test"),
        ("Test", "test"),
        ("test_clean", "test"),
        ("trio", None),
        ("tr1", None),
        ("tests", None),
        ("best test", None),
        ("42", None),
        ("", None),
    ],
)
def test_split_of(name, split):
    assert split_of(name) == split


def test_dev_is_for_training_where_there_is_no_train(tmp_path):
    for name in ("Dev", "Test"):
        (tmp_path / name).mkdir()
    assert [split for split, _ in split_folders(tmp_path, [])] == ["train", "test"]
    (tmp_path / "train").mkdir()
    assert [split for split, _ in split_folders(tmp_path, [])] == ["valid", "test", "train"]


def test_hidden_files_are_no_part_of_a_data_set(tmp_path, record, caplog):
    record("a/vocals.wav", "b/vocals.wav", ".cache/vocals.wav", "__MACOSX/a/vocals.wav")
    (tmp_path / "a" / "._vocals.wav").write_bytes(b"\0\5\x16\7 AppleDouble")
    (tmp_path / "a" / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "a" / "cover.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "a" / "notes.txt").write_text("sung by A")
    tracks = find_tracks(tmp_path)
    assert names(tracks) == ["a", "b"]
    assert list(tracks[0].stems) == ["vocals"]
    assert caplog.messages == []


def test_links_in_a_loop(tmp_path, record, caplog):
    record("a/vocals.wav", "b/vocals.wav", "c/vocals.wav")
    (tmp_path / "a" / "again").symlink_to(".")
    (tmp_path / "b" / "up").symlink_to("..")
    (tmp_path / "around").symlink_to("around")
    (tmp_path / "c" / "drums.wav").symlink_to("gone.wav")
    tracks = find_tracks(tmp_path)
    assert [sorted(track.stems) for track in tracks] == [["vocals"]] * 3
    assert len(caplog.messages) == 4
    for name in ("a/again: a link back", "b/up: a link back", "around: Too many", "drums.wav: No"):
        assert name in caplog.text


def test_links_in_a_loop_among_recordings(tmp_path, record, caplog):
    record("theo/1.wav", "lucas/x/2.wav")
    (tmp_path / "theo" / "friend").symlink_to(tmp_path / "lucas")
    (tmp_path / "lucas" / "friend").symlink_to(tmp_path / "theo")
    pool = find_pool(tmp_path)
    assert {len(stems) for stems in pool.groups.values()} == {2}
    assert "a link in a loop" in caplog.text


def test_links_to_other_places_are_followed(tmp_path, record):
    record("elsewhere/a/vocals.wav", "songs/b/vocals.wav")
    (tmp_path / "songs" / "a").symlink_to(tmp_path / "elsewhere" / "a")
    assert names(find_tracks(tmp_path / "songs")) == ["a", "b"]


def test_unreadable_folders(tmp_path, record, caplog, monkeypatch):
    record("a/vocals.wav", "b/vocals.wav", "c/vocals.wav")
    (tmp_path / "b").chmod(0)
    if os.geteuid() == 0:  # whom permissions do not stop
        look = os.scandir

        def refuse(path):
            if path == tmp_path / "b":
                raise PermissionError(13, "Permission denied", str(path))
            return look(path)

        monkeypatch.setattr(os, "scandir", refuse)
    try:
        assert names(find_tracks(tmp_path)) == ["a", "c"]
    finally:
        (tmp_path / "b").chmod(0o755)
    assert caplog.messages == [f"skipped {tmp_path / 'b'}: Permission denied"]


def test_unicode_and_very_long_names(tmp_path, record):
    long = "ü" * 120 + "x" * 11  # 251 bytes, and four of ".wav"
    decomposed = unicodedata.normalize("NFD", "sängerin")
    record(f"{long}xxxx/vocals.wav", "三味線 歌/vocals.wav", "🎸 [live] %s {0}/vocals.wav")
    record(*(f"{folder.name}/{decomposed}.wav" for folder in tmp_path.iterdir()))
    record("三味線 歌/bass.wav")
    (tmp_path / "三味線 歌" / "bass.wav").rename(tmp_path / "三味線 歌" / f"{long}.wav")
    tracks = find_tracks(tmp_path, ("sängerin",))
    assert sorted(names(tracks)) == sorted([f"{long}xxxx", "三味線 歌", "🎸 [live] %s {0}"])
    for track in tracks:
        assert track.read(("vocals",), 8000, 1)[0].shape == (400, 1)


def test_names_in_another_encoding_are_as_good_as_any(tmp_path, record):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    for name in ("a", "b\udcff"):
        record(f"caf\udce9/{name}/vocals.wav")
    skipped = []
    assert [entry.path.name for entry in entries(tmp_path, skipped)] == ["caf\udce9"]
    assert skipped == []
    tracks = find_tracks(folder, ("vocals",))
    assert [track.name for track in tracks] == ["a", "b\udcff"]
    assert tracks[1].read(("vocals",), 8000, 1)[0].any()


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="has no track or recording in a known layout"):
        find_tracks(tmp_path)
    with pytest.raises(InputError, match="has no track or recording in a known layout"):
        find_pool(tmp_path)
