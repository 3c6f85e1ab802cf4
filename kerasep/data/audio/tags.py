"""Title, artist, cover and other tags, which are copied from a recording to its stems."""

import base64
import dataclasses
import os

from kerasep.errors import InputError, installed_by

_LARGEST_COVER = 1 << 24  # bytes
_TYPES = {"mjpeg": "image/jpeg", "png": "image/png"}
# FFmpeg's name of each field: the ID3 frame, the MP4 atom, the Vorbis comment.
_FIELDS = {
    "title": ("TIT2", "\xa9nam", "title"),
    "artist": ("TPE1", "\xa9ART", "artist"),
    "album": ("TALB", "\xa9alb", "album"),
    "album_artist": ("TPE2", "aART", "albumartist"),
    "composer": ("TCOM", "\xa9wrt", "composer"),
    "genre": ("TCON", "\xa9gen", "genre"),
    "date": ("TDRC", "\xa9day", "date"),
    "copyright": ("TCOP", "cprt", "copyright"),
    "track": ("TRCK", None, "tracknumber"),
    "disc": ("TPOS", None, "discnumber"),
}


@dataclasses.dataclass(frozen=True)
class Tags:
    """Texts by FFmpeg's names of the fields, such as "title", and a JPEG or PNG cover."""

    fields: dict[str, str]
    cover: bytes | None = None
    cover_type: str = ""

    def titled(self, stem: str) -> "Tags":
        """Return the tags with the name of a stem behind the title."""
        if "title" not in self.fields:
            return self
        title = f"{self.fields['title']} ({stem})"
        return dataclasses.replace(self, fields={**self.fields, "title": title})


def read_tags(path: str | os.PathLike) -> Tags:
    """Return the tags of an audio file; none if FFmpeg cannot read them."""
    try:
        import av
    except ImportError:  # kerasep-runtime reads WAV and FLAC without PyAV
        return Tags({})
    from kerasep.data.audio.av_stream import open_stream

    try:
        file, stream = open_stream(path, 0)
        with file:
            written = {**stream.metadata, **file.metadata}  # Ogg files keep them in the stream
            fields = {name.lower(): text for name, text in written.items() if text}
            fields["track"] = fields.get("track") or fields.get("tracknumber", "")
            known = {name: fields[name] for name in _FIELDS if fields.get(name)}
            return Tags(known, *_cover(file))
    except (av.FFmpegError, InputError):
        return Tags({})


def _cover(file):
    for stream in file.streams.video:
        kind = _TYPES.get(stream.codec_context.name)
        if kind is None or not stream.disposition & stream.disposition.attached_pic:
            continue
        packet = next(file.demux(stream), None)
        if packet is not None and 0 < packet.size <= _LARGEST_COVER:
            return bytes(packet), kind
    return None, ""


def write_tags(path: str | os.PathLike, tags: Tags) -> None:
    """Write tags into an audio file."""
    with open(path, "rb") as written:
        is_rf64 = written.read(4) == b"RF64"  # beyond 4 GiB there is no room for tags
    if is_rf64 or (not tags.fields and tags.cover is None):
        return
    with installed_by():
        import mutagen
        from mutagen import id3, mp4

    try:
        file = mutagen.File(path)
        if file.tags is None:
            file.add_tags()
        if isinstance(file.tags, id3.ID3):
            _fill_id3(file.tags, tags)
        elif isinstance(file.tags, mp4.MP4Tags):
            _fill_atoms(file.tags, tags)
        else:
            _fill_comments(file, tags)
        file.save()
    except mutagen.MutagenError as error:
        raise InputError(f"cannot write the tags of {path}: {error}") from error


def _fill_id3(frames, tags):
    """Fill in the tags of an MP3 or WAV file."""
    from mutagen import id3

    for name, text in tags.fields.items():
        frame = _FIELDS[name][0]
        frames.setall(frame, [getattr(id3, frame)(encoding=3, text=[text])])
    if tags.cover is not None:
        picture = id3.APIC(encoding=3, mime=tags.cover_type, type=3, desc="", data=tags.cover)
        frames.setall("APIC", [picture])


def _fill_atoms(atoms, tags):
    """Fill in the tags of an M4A file."""
    from mutagen.mp4 import MP4Cover

    for name, text in tags.fields.items():
        atom = _FIELDS[name][1]
        if atom:
            atoms[atom] = [text]
    for name, atom in (("track", "trkn"), ("disc", "disk")):
        number, _, total = tags.fields.get(name, "").partition("/")
        if number.isdecimal() and int(number) < 1 << 16:
            small = total.isdecimal() and int(total) < 1 << 16
            atoms[atom] = [(int(number), int(total) if small else 0)]
    if tags.cover is not None:
        is_png = tags.cover_type == "image/png"
        kind = MP4Cover.FORMAT_PNG if is_png else MP4Cover.FORMAT_JPEG
        atoms["covr"] = [MP4Cover(tags.cover, kind)]


def _fill_comments(file, tags):
    """Fill in Vorbis comments: in Ogg the cover is one of them, in FLAC a separate block."""
    from mutagen.flac import Picture

    for name, text in tags.fields.items():
        file[_FIELDS[name][2]] = [text]
    if tags.cover is not None:
        picture = Picture()
        picture.type, picture.mime, picture.data = 3, tags.cover_type, tags.cover
        if hasattr(file, "add_picture"):
            file.add_picture(picture)
        else:
            file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode("ascii")]
