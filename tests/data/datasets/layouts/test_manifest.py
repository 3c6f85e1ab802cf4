"""Manifests and their errors."""

import json

import pytest

from kerasep.data import find_pool, find_tracks
from kerasep.errors import InputError

TRACK = {"name": "one", "stems": {"vocals": "a/v.wav", "bass": {"path": "b.wav", "channel": 1}}}


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_json(tmp_path, record):
    record("a/v.wav", "a/mix.wav")
    record("b.wav", channels=2)
    full = {**TRACK, "name": "two", "split": "valid", "song": "hit", "mixture": "a/mix.wav"}
    path = write(tmp_path / "manifest.json", {"tracks": [TRACK, full]})
    for source in (tmp_path, path):
        one, two = find_tracks(source, ("vocals", "bass"))
        assert (one.name, one.split, one.song) == ("one", None, None)
        assert (two.name, two.split, two.song) == ("two", "valid", "hit")
        assert one.stems["vocals"].path == tmp_path / "a/v.wav"
        assert (one.stems["bass"].channel, one.stems["bass"].channels) == (1, 1)
    with pytest.raises(InputError, match="lists tracks: expected"):
        find_pool(path)


def test_csv(tmp_path, record):
    record("a/v.wav", "a/mix.wav", "b.wav")
    table = "track,stem,path,split,stream\none,vocals,a/v.wav,train,\none,bass,b.wav,train,0\n"
    path = write(tmp_path / "manifest.csv", f"\ufeff{table}one,mixture,a/mix.wav,train,\n")
    for source in (tmp_path, path):
        (track,) = find_tracks(source, split="train")
        assert sorted(track.stems) == ["bass", "vocals"]


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_groups(tmp_path, record, kind):
    record("1.wav", "2.wav", "3.wav")
    groups = [
        {"name": "theo", "recordings": ["1.wav", "2.wav"], "split": "train"},
        {"name": "theo", "recordings": ["3.wav"], "split": "test"},
    ]
    table = "group,path,split\ntheo,1.wav,train\ntheo,2.wav,train\ntheo,3.wav,test\n"
    path = write(tmp_path / f"list.{kind}", {"groups": groups} if kind == "json" else table)
    assert {name: len(stems) for name, stems in find_pool(path).groups.items()} == {"theo": 3}
    assert len(find_pool(path, split="train").groups["theo"]) == 2
    with pytest.raises(InputError, match="lists recordings without mixtures"):
        find_tracks(path)


def test_files_that_are_not_there_are_left_out(tmp_path, record, caplog):
    record("a.wav")
    tracks = [{"name": name, "stems": {"vocals": f"{name}.wav"}} for name in "ab"]
    path = write(tmp_path / "list.json", {"tracks": tracks})
    assert [track.name for track in find_tracks(path)] == ["a"]
    assert "track 'b'" in caplog.text
    assert "b.wav is missing" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not a manifest: Expecting property name"),
        ([], "is not a manifest: Expected `object`, got `array`"),
        ({"tracks": {}}, "is not a manifest: Expected `array`, got `object`"),
        ({"tracks": [], "groups": []}, "is not a manifest: expected"),
        ({"tracks": []}, "is empty"),
        ({"tracks": [1]}, "Expected `object`, got `int` - at "),
        ({"tracks": [TRACK, {"name": "a"}]}, r"missing required field `stems` - at .*\[1\]"),
        ({"tracks": [{**TRACK, "steams": 1}]}, "unknown field `steams`"),
        ({"tracks": [{**TRACK, "name": 3}]}, "Expected `str`, got `int` - at .*name"),
        ({"tracks": [{**TRACK, "split": "dev"}]}, "Invalid enum value 'dev' - at .*split"),
        ({"tracks": [{**TRACK, "song": 3}]}, "got `int` - at .*song"),
        ({"tracks": [{**TRACK, "stems": {}}]}, "length >= 1 - at .*stems"),
        ({"tracks": [{**TRACK, "stems": {"a": 3}}]}, r"Expected `str \| object`, got `int`"),
        (
            {"tracks": [{**TRACK, "stems": {"a": {"path": 3}}}]},
            "Expected `str`, got `int` - at .*path",
        ),
        (
            {"tracks": [{**TRACK, "stems": {"a": {"path": "b", "channel": -1}}}]},
            "Expected `int` >= 0 - at .*channel",
        ),
        (
            {"groups": [{"name": "a", "recordings": "b"}]},
            "Expected `array`, got `str` - at .*recordings",
        ),
    ],
)
def test_what_is_wrong_with_json(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        find_tracks(write(tmp_path / "list.json", content))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a,b\n1,2\n", "is not a manifest: expected"),
        ("track,stem\na,b\n", "line 2: Object missing required field `path`"),
        ("track,stem,path,color\na,b,c,d\n", "line 2: Object contains unknown field `color`"),
        ("track,stem,path\na,mixture,c\n", "track 'a' has no stem"),
        ("track,stem,path\n", "is empty"),
        ("track,stem,path\na,b\n", "line 2: expected 3 values"),
        ("track,stem,path\na,b,c,d\n", "line 2: expected 3 values"),
        ("track,stem,path\na,,c\n", "line 2: Object missing required field `stem`"),
        ("track,stem,path\na,b,c\na,b,d\n", "line 3: track 'a' has two files for 'b'"),
        ("track,stem,path\na,mixture,c\na,mixture,d\n", "line 3: track 'a' has two files for"),
        ("track,stem,path,split\na,b,c,train\na,d,e,test\n", "line 3: track 'a' has another"),
        ("track,stem,path,stream\na,b,c,x\n", "line 2: Expected `int`, got `str`"),
        ('track,stem,path\na,b,"c\n', "is not a manifest: unexpected end of data"),
    ],
)
def test_what_is_wrong_with_csv(tmp_path, table, said):
    with pytest.raises(InputError, match=said):
        find_tracks(write(tmp_path / "list.csv", table))
    with pytest.raises(InputError, match="is not a manifest"):
        find_tracks(write(tmp_path / "list.txt", table))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["list.csv", "list.json", "manifest.csv", "manifest.json"])
def test_byte_order_marks(tmp_path, record, encoding, name):
    record("\u00e9.wav")
    text = "track,stem,path\r\n\u65e5,\u00e9,\u00e9.wav\r\n"
    if name.endswith(".json"):
        tracks = [{"name": "\u65e5", "stems": {"\u00e9": "\u00e9.wav"}}]
        text = json.dumps({"tracks": tracks}, ensure_ascii=False)
    (tmp_path / name).write_text(text, encoding)
    (track,) = find_tracks(tmp_path / name if name.startswith("list") else tmp_path, ("\u00e9",))
    assert track.name == "\u65e5"


def test_a_path_that_is_not_utf_8(tmp_path, record):
    """JSON can hold lone surrogates."""
    record("caf\udce9.wav")
    tracks = [{"name": "caf\udce9", "stems": {"a": "caf\udce9.wav"}}]
    (track,) = find_tracks(write(tmp_path / "list.json", {"tracks": tracks}))
    assert track.read(("a",), 8000, 1)[0].any()


def test_text_in_another_encoding(tmp_path):
    (tmp_path / "list.json").write_bytes(b'{"tracks": "\xff"}')
    with pytest.raises(InputError, match="is not a manifest: 'utf-8' codec"):
        find_tracks(tmp_path / "list.json")
