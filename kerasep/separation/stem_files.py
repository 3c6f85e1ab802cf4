"""Files of stems: their names, checks of existing ones, and writing them together."""

import contextlib
import os
import pathlib
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import soundfile

from kerasep.data import audio as audio_files
from kerasep.data.audio.audio_info import AudioInfo
from kerasep.data.audio.encodings import encoded_info, encoding_of
from kerasep.data.audio.tags import Tags
from kerasep.errors import InputError
from kerasep.files.atomic import temporary_beside
from kerasep.files.folder_lock import made
from kerasep.system import logs

MINUS = "minus_"  # begins the name of the mixture minus a source
_FULL_SCALE = 1 - 2.0**-15  # which 16 bits can hold

log = logs.logger(__name__)


def requested_outputs(
    sources: Sequence[str], stems: Iterable[str] | None = None, minus: Iterable[str] | None = None
) -> list[str]:
    """Return the names of the files to write: all sources, or `stems` and "minus_" with `minus`.

    Raises `InputError` for a name that is not a source.
    """
    for option, names in (("stems", stems), ("minus", minus)):
        if isinstance(names, str):
            raise InputError(f"received {option}={names!r}, expected a list: [{names!r}]")
    if stems is None:
        stems = [] if minus else sources
    stems, minus = list(dict.fromkeys(stems)), list(dict.fromkeys(minus or ()))
    unknown = [name for name in (*stems, *minus) if name not in sources]
    if unknown:
        raise InputError(
            f"received the stem {unknown[0]!r}, expected some of {', '.join(sources)}: the model "
            f"separates no other"
        )
    return [*stems, *(f"{MINUS}{name}" for name in minus)]


def filled_name(template: str, fields: Mapping[str, str | None]) -> str:
    """Replace the fields of a template of file names, such as "{track}/{stem}".

    `fields` has the allowed fields; one whose value is None stays. Raises `InputError` for another
    field, or a path that leads out of its folder.
    """
    allowed = " and ".join(f"{{{name}}}" for name in fields)
    expected = f"expected a relative path with {allowed} at most"
    filled = ""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"received the name {template!r}, {expected}: {error}") from error
    for literal, field, form, conversion in parts:
        filled += _escaped(literal)
        if field is None:
            continue
        if field not in fields or form or conversion:
            raise InputError(f"received the name {template!r}, {expected}: {{{field}}} is unknown")
        value = fields[field]
        filled += f"{{{field}}}" if value is None else _escaped(value)
    path = pathlib.PurePath(filled)
    if path.is_absolute() or path.drive or ".." in path.parts or not path.name:
        raise InputError(f"received the name {template!r}, {expected}: it leads out of the folder")
    return filled


def outputs(
    names: Iterable[str],
    folder: str | os.PathLike,
    suffix: str = ".wav",
    overwrite: bool = False,
    name: str = "{stem}",
) -> dict[str, pathlib.Path]:
    """Return a dict from output name to file; raises InputError if one exists, or two are one."""
    template = filled_name(name, {"stem": None})
    paths = {stem: pathlib.Path(folder) / f"{template.format(stem=stem)}{suffix}" for stem in names}
    if len(set(paths.values())) < len(paths):
        raise InputError(
            f"received the name {name!r} for {', '.join(paths)}, which would be one file: put "
            f"{{stem}} into it"
        )
    for path in paths.values():
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: remove it, or ask to overwrite")
    return paths


def whole_stems(paths: dict, header: AudioInfo, bits: str | int | None = None) -> set[str]:
    """Return the outputs whose existing file has the recording's rate, length and channels."""
    existing = {name: path for name, path in paths.items() if path.exists()}
    for path in existing.values():
        try:
            info = audio_files.info(path)
        except InputError as error:
            raise InputError(
                f"{path} exists and is not a stem: remove it, or ask to overwrite"
            ) from error
        expected = encoded_info(header, path.suffix)
        if info != expected:
            raise InputError(
                f"{path} exists and belongs to another recording ({info.samples} samples at "
                f"{info.sample_rate} Hz, {info.channels} channels, expected {expected.samples} at "
                f"{expected.sample_rate} Hz, {expected.channels}): remove it, or ask to overwrite"
            )
        encoding, bits_of_stem = encoding_of(path, bits)
        subtype = encoding.depths.get(bits_of_stem)
        if subtype and soundfile.info(os.fsencode(path)).subtype != subtype:
            raise InputError(
                f"{path} exists and has not {bits_of_stem} bits per sample: remove it, or ask to "
                f"overwrite"
            )
    return set(existing)


@contextlib.contextmanager
def writing(
    paths: Mapping[str, pathlib.Path],
    sources: Sequence[str],
    header: AudioInfo,
    *,
    overwrite: bool = False,
    kept: Iterable[str] = (),
    bits: str | int | None = None,
    normalize: bool = False,
    tags: Tags | None = None,
) -> Iterator[Callable[..., None]]:
    """Yield a function that writes a block `(samples, channels, sources)` to a file per output.

    Outputs that subtract from the mixture need its block as well. The files appear only when all
    of them are complete. After an error nothing is left behind.

    With `normalize`, all outputs get one gain if one of them exceeds full scale. They wait for it
    in temporary files.
    """
    rate, samples, channels = header
    tags = tags or Tags({})
    with contextlib.ExitStack() as stack:
        for folder in dict.fromkeys(path.parent for path in paths.values()):
            stack.enter_context(made(folder))
        writers = {
            name: stack.enter_context(
                audio_files.Writer(
                    path, rate, channels, overwrite, samples, bits, tags.titled(name)
                )
            )
            for name, path in paths.items()
            if name not in kept
        }

        def output(name, estimates, mixture):
            if name in sources:
                return estimates[..., sources.index(name)]
            return mixture - estimates[..., sources.index(name.removeprefix(MINUS))]

        def write(estimates, mixture=None):
            for name, writer in writers.items():
                writer.write(output(name, estimates, mixture))

        if normalize:
            with _gain_applied(paths, header, writers, output) as write_aside:
                yield write_aside
        else:
            yield write
        for writer in writers.values():
            writer.complete()


@contextlib.contextmanager
def _gain_applied(paths, header, writers, output):
    """Yield a function that writes blocks aside; then write them with the gain that fits all."""
    peak = 0.0
    rate, samples, channels = header
    first = next(iter(paths.values()))
    with temporary_beside(first.with_name(f"{first.name}.wait")) as folder:
        folder.mkdir()
        aside = {name: folder / f"{number}.wav" for number, name in enumerate(writers)}
        with contextlib.ExitStack() as stack:
            waiting = {
                name: stack.enter_context(audio_files.Writer(path, rate, channels, samples=samples))
                for name, path in aside.items()
            }

            def write(estimates, mixture=None):
                nonlocal peak
                for name in paths:  # those of an earlier run have the same gain
                    block = output(name, estimates, mixture)
                    peak = max(peak, float(np.abs(block).max(initial=0)))
                    if name in waiting:
                        waiting[name].write(block)

            yield write
        gain = min(1.0, _FULL_SCALE / peak) if peak else 1.0
        if gain < 1:
            log.info(
                "the stems of %s are turned down by %.1f dB: their peak is at full scale",
                first.parent if len(paths) > 1 else first,
                -20 * np.log10(gain),
            )
        for name, path in aside.items():
            for block in audio_files.stream(path):
                writers[name].write(block * np.float32(gain))


def _escaped(text):
    return text.replace("{", "{{").replace("}", "}}")
