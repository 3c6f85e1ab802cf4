"""Tags and covers, written into each format and read again by FFmpeg and by mutagen."""

import struct
import zlib

import numpy as np
import pytest

from kerasep.data import audio
from kerasep.data.audio import encoders
from kerasep.data.audio.tags import Tags, read_tags

FIELDS = {
    "title": "Für Elise — 日本",
    "artist": "A & B",
    "album": "C",
    "album_artist": "D",
    "composer": "E",
    "genre": "Rock",
    "date": "1999",
    "track": "3/12",
    "disc": "1/2",
}


def picture():
    """A PNG of one pixel."""

    def chunk(name, content):
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus"])
def test_tags_and_cover_in_every_format(tmp_path, suffix):
    path, values = tmp_path / f"out{suffix}", np.full((9000, 2), 0.1, "float32")
    tags = Tags(FIELDS, picture(), "image/png")
    with audio.Writer(path, 48000, 2, tags=tags.titled("vocals")) as writer:
        writer.write(values)
    written = read_tags(path)
    expected = {**FIELDS, "title": "Für Elise — 日本 (vocals)"}
    if suffix in (".ogg", ".opus"):  # Vorbis comments count tracks without a total as well
        assert {k: v for k, v in written.fields.items() if k not in ("track", "disc")} == {
            k: v for k, v in expected.items() if k not in ("track", "disc")
        }
        assert written.fields["track"].startswith("3")
    else:
        assert written.fields == expected
    assert (written.cover, written.cover_type) == (tags.cover, "image/png")
    assert audio.info(path) == (48000, 9000, 2)


def test_a_wav_beyond_4_gib_has_no_tags(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "_WAV_BYTES", 4000)
    with audio.Writer(tmp_path / "long.wav", 8000, 1, tags=Tags(FIELDS)) as writer:
        writer.write(np.zeros((5000, 1), "float32"))
    assert (tmp_path / "long.wav").read_bytes().startswith(b"RF64")
    assert read_tags(tmp_path / "long.wav") == Tags({})


def test_a_file_without_tags_gets_none(tmp_path):
    for suffix in (".wav", ".flac"):
        audio.write(tmp_path / f"plain{suffix}", np.zeros((10, 1), "float32"), 8000)
        assert read_tags(tmp_path / f"plain{suffix}") == Tags({})
    assert Tags({}).titled("vocals") == Tags({})
    assert read_tags(tmp_path / "missing.wav") == Tags({})
