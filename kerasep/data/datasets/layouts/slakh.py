"""Slakh2100: a folder for each track with metadata.yaml and stems/S00.flac and so on."""

import yaml

from kerasep.data.datasets.layouts.folders import audio_files, parts, subfolders
from kerasep.data.datasets.layouts.found import Found, Location, TrackFiles
from kerasep.files.text_files import read_text


def slakh(folder):
    """Find the tracks of Slakh, their stems named after instruments by the tracks' metadata.

    A stem is called `guitar/s03`: class of instrument in small letters (`synth_pad`), and file; the
    source `guitar` is the sum of all such.

    Args:
        folder: the data set, one of its splits, or BabySlakh.

    Returns:
        `Found` with tracks, or None where no folder has a metadata.yaml.
    """
    skipped, tracks = [], []
    for split, part in parts(folder, skipped):
        for path in subfolders(part, skipped):
            if not (path / "metadata.yaml").is_file():
                continue
            try:
                stems = _stems(path, skipped)
            except _MetadataError as error:
                skipped.append(f"{path}: {error}")
                continue
            mixture = next((file for file in audio_files(path, []) if file.stem == "mix"), None)
            mixture = Location(mixture) if mixture else None
            tracks.append(TrackFiles(path.name, stems, split, mixture=mixture))
    return Found("Slakh", tracks, skipped=skipped) if tracks else None


class _MetadataError(Exception):
    pass


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
        raise _MetadataError("metadata.yaml does not list stems with inst_class") from None
    if not classes:
        raise _MetadataError("metadata.yaml lists no stems")
    inside = folder / "stems"
    files = {path.stem: path for path in audio_files(inside, skipped)} if inside.is_dir() else {}
    missing = [name for name in classes if name not in files]
    if missing:
        raise _MetadataError(f"there is no {', '.join(missing)} in its folder stems")
    return {f"{kind}/{name.lower()}": Location(files[name]) for name, kind in classes.items()}
