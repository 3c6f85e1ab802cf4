"""`kerasep data check`: what it prints, writes and refuses."""

from kerasep import data


def test_checking_a_data_set(tmp_path, capsys, call, refused):
    songs = tmp_path / "[live] songs"
    data.write_songs(songs / "train", 3, seconds=1.0)
    data.write_songs(songs / "test", 1, seed=9, seconds=1.0)
    (songs / "train" / "song_0001" / "bass.flac").write_bytes(b"")
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    command = ("data", "check", songs, "--html", page, "--csv", table)
    assert call(*command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{songs}: stems folders, 4 tracks (1 unusable), 3.0 s"
    assert "splits: test (1), train (3)" in lines
    (problem,) = [line for line in lines if line.startswith("unreadable: ")]
    assert problem.startswith("unreadable: song_0001/bass: ")
    assert "bass.flac is empty" in problem
    assert "problems: 1 unreadable" in lines
    assert table.read_text().count("\n") == 17
    assert "[live] songs" in page.read_text()
    assert "exists: choose another, or --overwrite" in refused(*command)
    assert call(*command, "--overwrite") == 0
    capsys.readouterr()
    error = refused("data", "check", songs, "--strict")
    assert "has 1 problems, expected none (--strict)" in error


def test_checking_a_data_set_without_anything_to_use(tmp_path, refused):
    (tmp_path / "songs" / "a").mkdir(parents=True)
    assert "has no track or recording in a known layout" in refused(
        "data", "check", tmp_path / "songs"
    )
    (tmp_path / "songs" / "a" / "vocals.wav").write_text("no audio at all")
    error = refused("data", "check", tmp_path / "songs")
    assert "has nothing usable" in error
    table = tmp_path / "nowhere" / "table.csv"
    error = refused("data", "check", tmp_path / "songs", "--csv", table)
    assert f"there is no folder {table.parent}" in error
