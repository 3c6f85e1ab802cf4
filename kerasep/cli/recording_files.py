"""The recordings that a command's arguments name, checked before any model is loaded."""

import os
import pathlib
from collections.abc import Iterable

from kerasep.cli.terminal import progress_bar
from kerasep.errors import InputError


def named_recordings(
    arguments: Iterable[pathlib.Path], out_folder: pathlib.Path
) -> dict[str, pathlib.Path]:
    """Return a dict from the track's name to the file, for files and the audio files of folders.

    A file of a folder is named by its path from the folder on, as `cp -r` would copy it. Hidden
    files, and those in the folder for the results, are left out.
    """
    from kerasep.separation.manifests import named

    pairs = []
    for argument in arguments:
        if argument.is_dir():
            pairs += _in_folder(argument, out_folder)
        else:
            pairs.append((argument.stem, argument))
    return named(pairs, nested=True)


def _in_folder(folder, out_folder):
    from kerasep.data.audio import SUFFIXES

    top, results = folder.resolve(), out_folder.resolve()
    files = []
    for place, folders, names in os.walk(folder):
        here = pathlib.Path(place)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and (here / name).resolve() != results
        )
        files += [
            here / name
            for name in sorted(names)
            if name[0] != "." and pathlib.PurePath(name).suffix.lower() in SUFFIXES
        ]
    if not files:
        raise InputError(
            f"received the folder {folder}, expected audio files in it, such as .wav, .flac, .mp3 "
            f"or .m4a: there is none"
        )
    parent = top.name or "files"  # of the root of the file system
    return [
        ("/".join((parent, *file.relative_to(folder).with_suffix("").parts)), file)
        for file in files
    ]


def unusable(files: Iterable[pathlib.Path], track: int | None) -> dict[pathlib.Path, str]:
    """Return the reasons why files are not audio that can be read, by their headers."""
    from kerasep.data.audio.audio_tracks import stream_of

    files, reasons = list(files), {}
    with progress_bar("checking the files") as progress:
        for number, file in enumerate(files, start=1):
            try:
                stream_of(file, track)
            except InputError as error:
                reasons[file] = str(error)
            progress(number / len(files))
    return reasons


def check_writable(folder: pathlib.Path) -> None:
    """Raise InputError for a folder that cannot be created or written to."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise InputError(f"received {existing}, which is a file, expected a folder: choose another")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(
            f"received the folder {folder}, expected one that can be written to: change the "
            f"permissions of {existing}, or choose another by --out"
        )
