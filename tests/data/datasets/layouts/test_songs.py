"""Names of clips that come from one song."""

import pytest

from kerasep.data.datasets.layouts.songs import song_of


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
