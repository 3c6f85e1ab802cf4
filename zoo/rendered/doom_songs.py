"""Write the MIDI songs inside a game's WAD file (Debian freedoom) as files.

python zoo/rendered/doom_songs.py freedoom1.wad freedoom2.wad --out midi/freedoom
"""

import argparse
import pathlib
import struct


def songs(wad):
    """Yield the name and the bytes of every MIDI song."""
    count, directory = struct.unpack("<ii", wad[4:12])
    for number in range(count):
        start, size, name = struct.unpack_from("<ii8s", wad, directory + 16 * number)
        if wad[start : start + 4] == b"MThd":
            yield name.rstrip(b"\0").decode(), wad[start : start + size]


def main():
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wads", type=pathlib.Path, nargs="+")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for wad in arguments.wads:
        for name, content in songs(wad.read_bytes()):
            (arguments.out / f"{wad.stem}_{name}.mid").write_bytes(content)


if __name__ == "__main__":
    main()
