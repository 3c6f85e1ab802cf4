"""Stems on disk: their names, what an earlier run has written, and writing them together."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kerasep.data import audio as audio_files
from kerasep.errors import InputError
from kerasep.files.folder_lock import made


def outputs(
    sources: Iterable[str],
    folder: str | os.PathLike,
    suffix: str = ".wav",
    overwrite: bool = False,
) -> dict[str, pathlib.Path]:
    """Return a dict from source name to output file, and check that none exists."""
    paths = {name: pathlib.Path(folder) / f"{name}{suffix}" for name in sources}
    for path in paths.values():
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: remove it, or ask to overwrite")
    return paths


def whole_stems(paths: dict, header) -> set[str]:
    """Return the sources whose existing file has the recording's rate, length and channels."""
    existing = {name: path for name, path in paths.items() if path.exists()}
    for path in existing.values():
        try:
            info = audio_files.info(path)
        except InputError as error:
            raise InputError(
                f"{path} exists and is not a stem: remove it, or ask to overwrite"
            ) from error
        if info != header:
            raise InputError(
                f"{path} exists and belongs to another recording ({info.samples} samples at "
                f"{info.sample_rate} Hz, {info.channels} channels, expected {header.samples} at "
                f"{header.sample_rate} Hz, {header.channels}): remove it, or ask to overwrite"
            )
    return set(existing)


@contextlib.contextmanager
def writing(
    paths: dict,
    sample_rate: int,
    channels: int,
    overwrite: bool = False,
    samples: int | None = None,
    kept: Iterable[str] = (),
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yield a function that writes a block `(samples, channels, sources)` to a file per source.

    The files appear only when all of them are complete. After an error nothing is left behind.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(made(next(iter(paths.values())).parent))
        writers = {
            index: stack.enter_context(
                audio_files.Writer(path, sample_rate, channels, overwrite, samples)
            )
            for index, (name, path) in enumerate(paths.items())
            if name not in kept
        }

        def write(block):
            for index, writer in writers.items():
                writer.write(block[..., index])

        yield write
        for writer in writers.values():
            writer.complete()
