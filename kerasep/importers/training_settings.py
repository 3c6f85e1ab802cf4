"""Settings that Music-Source-Separation-Training keeps beside its checkpoints, in YAML."""

import os
import pathlib
import re

import yaml

from kerasep.errors import InputError
from kerasep.files.text_files import read_text

_RATE = 44100  # in Hz, of files that do not say it


def read(
    path: str | os.PathLike, settings: str | os.PathLike | None = None
) -> tuple[dict, list[str] | None]:
    """Return the settings of a model and of its audio, and the names of its sources.

    Args:
        path: the checkpoint.
        settings: a YAML file. Default: the file beside the checkpoint of the same name that ends in
            .yaml, if any.

    Returns:
        The sections `model` and `audio` in one dict, with the `chunk_seconds` that their chunk size
        stands for; empty without a file. The names of the sources in lower case, or None.

    Raises:
        InputError: for settings that cannot be read.

    Example:
    >>> read("vocals.ckpt")
    ({}, None)
    """
    if settings is None:
        settings = pathlib.Path(path).with_suffix(".yaml")
        if not settings.is_file():
            return {}, None
    try:
        contents = yaml.load(read_text(settings), _Loader)
        # Settings of the audio first: both sections may have a sample rate.
        values = {**(contents["model"] or {}), **(contents.get("audio") or {})}
        # As for the original, the chunks of inference come before those of training.
        size = {**values, **(contents.get("inference") or {})}.get("chunk_size")
        if size is not None:
            values["chunk_seconds"] = size / values.get("sample_rate", _RATE)
        training = contents.get("training") or {}
        target = training.get("target_instrument")
        names = [target] if target else training.get("instruments")
        names = names and [re.sub(r"\W+", "_", str(name).lower()) for name in names]
    except (
        OSError,
        UnicodeDecodeError,
        yaml.YAMLError,
        KeyError,
        TypeError,
        AttributeError,
        ZeroDivisionError,
    ):
        raise InputError(
            f"received the settings {settings}, expected a YAML file with the sections model and "
            f"training"
        ) from None
    return values, names


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, with tuples as lists."""


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _Loader.construct_sequence)
