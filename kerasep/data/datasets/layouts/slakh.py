"""Slakh2100: a folder per track with metadata.yaml and stems/S00.flac and so on."""

import yaml

from kerasep.data.datasets.layouts.contents import Contents, Location, TrackFiles
from kerasep.data.datasets.layouts.folders import audio_files, split_folders, subfolders
from kerasep.errors import InputError
from kerasep.files.text_files import read_text


def slakh(folder):
    """Return the tracks of Slakh, with stems named by instrument class and file: `guitar/s03`."""
    skipped, tracks = [], []
    for split, part in split_folders(folder, skipped):
        for path in subfolders(part, skipped):
            if not (path / "metadata.yaml").is_file():
                continue
            try:
                stems = _stems(path, skipped)
            except InputError as error:
                skipped.append(f"{path}: {error}")
                continue
            mixture = next((Location(f) for f in audio_files(path, []) if f.stem == "mix"), None)
            tracks.append(TrackFiles(path.name, stems, split, mixture=mixture))
    return Contents("Slakh", tracks, skipped=skipped) if tracks else None


def _stems(folder, skipped):
    try:
        text = read_text(folder / "metadata.yaml")
        listed = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stems"]
        classes = {
            name: "_".join(stem["inst_class"].lower().split())
            for name, stem in listed.items()
            if stem.get("audio_rendered", True)
        }
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise InputError("metadata.yaml does not list stems with inst_class") from None
    if not classes:
        raise InputError("metadata.yaml lists no stems")
    inside = folder / "stems"
    files = {path.stem: path for path in audio_files(inside, skipped)} if inside.is_dir() else {}
    missing = [name for name in classes if name not in files]
    if missing:
        raise InputError(f"there is no {', '.join(missing)} in its folder stems")
    return {f"{kind}/{name.lower()}": Location(files[name]) for name, kind in classes.items()}
