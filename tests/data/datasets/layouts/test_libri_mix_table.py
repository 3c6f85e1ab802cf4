"""The tables of LibriMix."""

import pytest

from kerasep.data import find_tracks
from kerasep.errors import InputError

HEADER = "mixture_ID,mixture_path,source_1_path,source_2_path,noise_path,length\n"


def test_paths_are_found_beside_the_table(tmp_path, record):
    parts = ("mix_both", "s1", "s2", "noise")
    record(*(f"Libri2Mix/wav8k/min/dev/{part}/1-2.wav" for part in parts))
    table = tmp_path / "Libri2Mix/wav8k/min/metadata/mixture_dev_mix_both.csv"
    table.parent.mkdir()
    paths = ",".join(f"/home/maker/wav8k/min/dev/{part}/1-2.wav" for part in parts)
    table.write_text(f"{HEADER}1-2,{paths},400\n", "utf-16")
    assert [track.name for track in find_tracks(table)] == ["1-2"]
    table.write_text(f"{HEADER}1-2,{paths},400\n")
    (track,) = find_tracks(table, ("speaker_1", "speaker_2"))
    assert (track.name, track.split) == ("1-2", "valid")
    assert track.stems["noise"].path == table.parent.parent / "dev/noise/1-2.wav"
    table.write_text(f"{HEADER}1-2,{paths.replace('1-2', '3-4')},400\n")
    with pytest.raises(InputError, match=r"no track that can be used: track '1-2': .* is missing"):
        find_tracks(table)
    table.write_text(f"{HEADER}1-2,a.wav,b.wav,,c.wav,400\n")
    with pytest.raises(InputError, match=r"mix_both.csv line 2: source_2_path is missing"):
        find_tracks(table)
    table.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"mix_both.csv is not a manifest"):
        find_tracks(table)
