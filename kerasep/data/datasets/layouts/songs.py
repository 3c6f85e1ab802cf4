"""Which tracks come from one song, by their names."""

import re

_CLIP = re.compile(
    r"(?P<song>.+[-_ ]\d+)[-_ ]\d+"
    r"|(?P<whole>.+?)[-_ ]*(?:clip|part|segment|seg|chunk|excerpt)[-_ ]*\d+",
    re.IGNORECASE,
)


def song_of(name):
    """Tell the song that a clip's name shows, or None for a track that is no clip.

    Clips end in two numbers, the song's and their own (`amy_3_07`), or in a word that means a part
    and a number (`Intro part 2`). One number tells nothing: it may be the song's.

    Example:
    >>> song_of("amy_3_07"), song_of("Intro - part 2"), song_of("song_0001")
    ('amy_3', 'Intro', None)
    """
    found = _CLIP.fullmatch(name)
    return (found["song"] or found["whole"]) if found else None
