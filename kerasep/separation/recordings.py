"""Whole recordings through what separates one chunk: any length, rate and channel count.

Neither Keras nor TensorFlow is needed here, and no audio library for arrays at the model's rate.
"""

import contextlib
import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasep.errors import InputError
from kerasep.files.folder_lock import made
from kerasep.separation.chunks import by_channel_groups, check_waveform, crossfaded
from kerasep.system import logs

log = logs.logger(__name__)


class ChunkSeparator(NamedTuple):
    """What separates one chunk, and how a recording is cut for it.

    Attributes:
        process: function of `(groups, samples, channels)` that returns
            `(groups, samples, channels, sources)`.
        sources: tuple of names.
        sample_rate: in Hz.
        channels: how many `process` takes.
        chunk: samples given to `process` at once.
        overlap: samples that neighbouring chunks share.
        hop: chunks start at multiples of this.
        fixed: whether `process` takes no chunk shorter than `chunk`.
        interchangeable: whether `process` may give the sources of each chunk in another order;
            they are then put in one.
    """

    process: Callable
    sources: tuple
    sample_rate: int
    channels: int
    chunk: int
    overlap: int
    hop: int = 1
    fixed: bool = False
    interchangeable: bool = False


def separate(separator, audio, sample_rate=None, *, track=None):
    """Separate a recording into arrays.

    Args:
        separator: a `ChunkSeparator`.
        audio: path of an audio file, or array `(samples, channels)` or `(samples,)`.
        sample_rate: of an array, in Hz. Default: the separator's. A path knows its own.
        track: which audio track of a file that has several, from 1. Defaults to the first, and the
            log names all.

    Returns:
        Dict from source name to float32 array `(samples, channels)`, at the recording's own rate.
        Of a recording that is silent throughout they are zeros, with a warning in the log.

    Raises:
        InputError: for audio that is missing, empty, damaged, or not finite.

    Example:
    >>> halves = ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    >>> separate(halves, np.ones((9000, 2), "float32"))["half"].shape
    (9000, 2)
    """
    if isinstance(audio, str | os.PathLike):
        if sample_rate is not None:
            raise InputError(
                f"received sample_rate={sample_rate} for {audio}: a file knows its own"
            )
        from kerasep.data import audio as audio_files
        from kerasep.data.audio.audio_tracks import stream_of

        stream = stream_of(audio, track)
        header = audio_files.info(audio, stream)
        blocks = audio_files.stream(audio, stream=stream)
        rate, samples = header.sample_rate, header.samples
        separator = _heard(separator, audio_files.stream(audio, stream=stream), audio)
    else:
        if track is not None:
            raise InputError(f"received track={track} with an array, expected it with a path")
        waveform = check_waveform(audio)
        rate = separator.sample_rate if sample_rate is None else sample_rate
        if rate <= 0:
            raise InputError(f"received sample_rate={rate}, expected a rate above 0 Hz")
        blocks, samples = [waveform], len(waveform)
        separator = _heard(separator, blocks, "the recording")
    result = np.concatenate(list(stems(separator, blocks, rate, samples)))
    return {name: np.ascontiguousarray(result[..., i]) for i, name in enumerate(separator.sources)}


def separate_file(
    separator,
    path,
    folder,
    *,
    suffix=".wav",
    overwrite=False,
    resume=False,
    track=None,
    progress=None,
):
    """Separate a file into one file a source, written as they come: memory stays flat.

    The stems of a recording that is silent throughout are zeros, with a warning in the log.

    Args:
        separator: a `ChunkSeparator`.
        path: the audio file.
        folder: where `<source><suffix>` go; made if it is missing.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.
        resume: whether stems that are there, and could be this file's (see `whole_stems`), are
            kept, and only the others made. Defaults to False.
        track: which audio track of a file that has several, from 1. Defaults to the first, and the
            log names all.
        progress: called with the share of the file that is done, 0 to 1.

    Returns:
        Dict from source name to path.

    Raises:
        InputError: for a file that cannot be read, or an output that exists; nothing half-written
            is left.

    Example:
    ```python
    import numpy as np
    from kerasep import data
    from kerasep.separation import recordings

    data.write("tone.wav", np.ones((9000, 1), "float32") / 2, 8000, overwrite=True)
    halves = recordings.ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    paths = recordings.separate_file(halves, "tone.wav", "stems", overwrite=True)
    assert data.info(paths["half"]).samples == 9000
    ```
    """
    from kerasep.data import audio as audio_files
    from kerasep.data.audio.audio_tracks import stream_of

    stream = stream_of(path, track)
    header, paths = planned(separator, path, folder, suffix, overwrite or resume, track)
    rate, samples, done = header.sample_rate, header.samples, 0
    kept = whole_stems(paths, header) if resume and not overwrite else set()
    if len(kept) == len(paths):
        return paths
    separator = _heard(separator, audio_files.stream(path, stream=stream), path)
    with writing(paths, rate, header.channels, overwrite, samples, kept) as write:
        for block in stems(separator, audio_files.stream(path, stream=stream), rate, samples):
            write(block)
            done += len(block)
            if progress:
                progress(done / header.samples)
    return paths


def planned(separator, path, folder, suffix=".wav", overwrite=False, track=None):
    """Look ahead at what `separate_file` will read and write, to refuse it before any work.

    Args:
        separator: anything with `sources`.
        path: the audio file.
        folder: where the stems will go.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.
        track: which audio track of a file that has several, from 1. Defaults to the first, and the
            log names all.

    Returns:
        The file's `kerasep.data.AudioInfo`, and a dict from source name to path.

    Raises:
        InputError: for a file that cannot be read, or an output that exists.

    Example:
    ```python
    import numpy as np
    from kerasep import data
    from kerasep.separation import recordings

    data.write("tone.wav", np.ones((9000, 1), "float32") / 2, 8000, overwrite=True)
    halves = recordings.ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    header, paths = recordings.planned(halves, "tone.wav", "stems")
    assert header.samples == 9000 and paths["half"].name == "half.wav"
    ```
    """
    from kerasep.data import audio as audio_files
    from kerasep.data.audio.audio_tracks import stream_of

    paths = outputs(separator.sources, folder, suffix, overwrite)
    return audio_files.info(path, stream_of(path, track)), paths


def outputs(sources, folder, suffix=".wav", overwrite=False):
    """Name the files that stems go to, and refuse those that are there.

    Args:
        sources: their names.
        folder: where they will lie.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.

    Returns:
        Dict from source name to path.

    Raises:
        InputError: for an output that exists.

    Example:
    >>> [path.name for path in outputs(["vocals", "bass"], "stems").values()]
    ['vocals.wav', 'bass.wav']
    """
    paths = {name: pathlib.Path(folder) / f"{name}{suffix}" for name in sources}
    for path in paths.values():
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: remove it, or ask to overwrite")
    return paths


def whole_stems(paths, header):
    """Find the stems of a recording that an earlier run has written.

    Args:
        paths: dict from source name to path, as `outputs` gives it.
        header: the recording's `kerasep.data.AudioInfo`.

    Returns:
        Set of the names of the sources whose file is there, with the recording's rate, length and
        channels.

    Raises:
        InputError: for a file that is there but something else.

    Example:
    ```python
    import numpy as np
    from kerasep import data
    from kerasep.separation import recordings

    data.write("half.wav", np.ones((9000, 1), "float32") / 2, 8000, overwrite=True)
    paths = recordings.outputs(["half", "rest"], ".", overwrite=True)
    assert recordings.whole_stems(paths, data.info("half.wav")) == {"half"}
    ```
    """
    from kerasep.data import audio as audio_files

    kept = set()
    for name, path in paths.items():
        if not path.exists():
            continue
        try:
            found = audio_files.info(path)
        except InputError as error:
            raise InputError(
                f"{path} exists and is no stem: remove it, or ask to overwrite"
            ) from error
        if found != header:
            raise InputError(
                f"{path} exists and belongs to another recording ({found.samples} samples at "
                f"{found.sample_rate} Hz, {found.channels} channels, expected {header.samples} at "
                f"{header.sample_rate} Hz, {header.channels}): remove it, or ask to overwrite"
            )
        kept.add(name)
    return kept


@contextlib.contextmanager
def writing(paths, sample_rate, channels, overwrite=False, samples=None, kept=()):
    """Write each source into a file of its own, all in one folder, which is made if it is missing.

    Args:
        paths: dict from source name to path, as `outputs` gives it.
        sample_rate: in Hz.
        channels: of each.
        overwrite: whether existing files may be replaced. Defaults to False.
        samples: how many there will be, where that is known.
        kept: names of sources that are not written.

    Yields:
        Function of a block `(samples, channels, sources)`. Where an error ends it, what was made is
        removed; the files appear only when all of them are complete.

    Example:
    ```python
    import numpy as np
    from kerasep.separation import recordings

    paths = recordings.outputs(["one", "two"], "halves")
    with recordings.writing(paths, 8000, 1) as write:
        write(np.full((800, 1, 2), 0.5, "float32"))
    assert paths["two"].is_file()
    ```
    """
    from kerasep.data import audio as audio_files

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


def stems(separator, blocks, sample_rate, samples):
    """Separate a recording block by block.

    Args:
        separator: a `ChunkSeparator`.
        blocks: iterable of successive arrays `(n, channels)`.
        sample_rate: of the blocks, in Hz; resampled where the separator's differs.
        samples: how many the blocks have in all.

    Yields:
        Successive arrays `(n, channels, sources)` at `sample_rate`, `samples` in all.

    Example:
    >>> halves = ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    >>> sum(len(block) for block in stems(halves, [np.ones((9000, 1))], 8000, 9000))
    9000
    """
    reorder = separator.interchangeable

    def process(waveform):
        return by_channel_groups(separator.process, waveform, separator.channels, reorder)

    rate = separator.sample_rate
    separated = crossfaded(
        _resampled(blocks, sample_rate, rate),
        process,
        separator.chunk,
        separator.overlap,
        separator.hop,
        pad=separator.fixed,
        reorder=reorder,
    )
    missing = samples
    for block in _resampled(separated, rate, sample_rate):
        block = block[:missing]
        missing -= len(block)
        shape = block.shape[1:]
        yield block
    if missing:  # there and back, resampling rounds the length twice
        yield np.zeros((missing, *shape), "float32")


def _heard(separator, blocks, name):
    """Return the separator, or for a recording without any sound one whose stems are silent.

    Of silence a model may make noise, where its layers have biases, or NaN, where it normalises.
    """
    if any(np.any(block) for block in blocks):
        return separator
    log.warning("%s is silent throughout: so are its stems", name)
    count = len(separator.sources)
    return separator._replace(
        process=lambda batch: np.zeros((*batch.shape, count), "float32"), interchangeable=False
    )


def _resampled(blocks, rate, new_rate):
    """Resample a stream of blocks `(n, ...)`."""
    if rate == new_rate:
        yield from blocks
        return
    import soxr

    resampler, samples = None, 0
    for block in blocks:
        shape = block.shape[1:]
        if resampler is None:
            resampler = soxr.ResampleStream(rate, new_rate, int(np.prod(shape)), "float32")
        flat = np.ascontiguousarray(block, "float32").reshape(len(block), -1)
        resampled = resampler.resample_chunk(flat).reshape(-1, *shape)
        samples += len(resampled)
        yield resampled
    nothing = np.zeros((0, int(np.prod(shape))), "float32")
    resampled = resampler.resample_chunk(nothing, last=True).reshape(-1, *shape)
    # Less than one sample at the new rate is one all the same: a recording never disappears.
    yield resampled if samples + len(resampled) else np.zeros((1, *shape), "float32")
