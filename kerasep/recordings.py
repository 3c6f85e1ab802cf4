"""Whole recordings through what separates one chunk: any length, rate and channel count.

Neither Keras nor TensorFlow is needed here, and no audio library for arrays at the model's rate.
"""

import contextlib
import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasep.chunks import by_channel_groups, check_waveform, crossfaded
from kerasep.errors import InputError


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


def separate(separator, audio, sample_rate=None):
    """Separate a recording into arrays.

    Args:
        separator: a `ChunkSeparator`.
        audio: path of an audio file, or array `(samples, channels)` or `(samples,)`.
        sample_rate: of an array, in Hz. Default: the separator's. A path knows its own.

    Returns:
        Dict from source name to float32 array `(samples, channels)`, at the recording's own rate.

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

        header = audio_files.info(audio)
        blocks = audio_files.stream(audio)
        rate, samples = header.sample_rate, header.samples
    else:
        waveform = check_waveform(audio)
        rate = separator.sample_rate if sample_rate is None else sample_rate
        if rate <= 0:
            raise InputError(f"received sample_rate={rate}, expected a rate above 0 Hz")
        blocks, samples = [waveform], len(waveform)
    result = np.concatenate(list(stems(separator, blocks, rate, samples)))
    return {name: np.ascontiguousarray(result[..., i]) for i, name in enumerate(separator.sources)}


def separate_file(separator, path, folder, *, suffix=".wav", overwrite=False, progress=None):
    """Separate a file into one file a source, written as they come: memory stays flat.

    Args:
        separator: a `ChunkSeparator`.
        path: the audio file.
        folder: where `<source><suffix>` go; made if it is missing.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.
        progress: called with the share of the file that is done, 0 to 1.

    Returns:
        Dict from source name to path.

    Raises:
        InputError: for a file that cannot be read or is silent throughout, or an output that
            exists; nothing half-written is left.

    Example:
    ```python
    import numpy as np
    from kerasep import data, recordings

    data.write("tone.wav", np.ones((9000, 1), "float32") / 2, 8000, overwrite=True)
    halves = recordings.ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    paths = recordings.separate_file(halves, "tone.wav", "stems", overwrite=True)
    assert data.info(paths["half"]).samples == 9000
    ```
    """
    from kerasep.data import audio as audio_files

    header, paths = planned(separator, path, folder, suffix, overwrite)
    done = 0
    with writing(paths, header.sample_rate, header.channels, overwrite) as write:
        blocks = _audible(audio_files.stream(path), path)
        for block in stems(separator, blocks, header.sample_rate, header.samples):
            write(block)
            done += len(block)
            if progress:
                progress(done / header.samples)
    return paths


def planned(separator, path, folder, suffix=".wav", overwrite=False):
    """Look ahead at what `separate_file` will read and write, to refuse it before any work.

    Args:
        separator: anything with `sources`.
        path: the audio file.
        folder: where the stems will go.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.

    Returns:
        The file's `kerasep.data.AudioInfo`, and a dict from source name to path.

    Raises:
        InputError: for a file that cannot be read, or an output that exists.

    Example:
    ```python
    import numpy as np
    from kerasep import data, recordings

    data.write("tone.wav", np.ones((9000, 1), "float32") / 2, 8000, overwrite=True)
    halves = recordings.ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    header, paths = recordings.planned(halves, "tone.wav", "stems")
    assert header.samples == 9000 and paths["half"].name == "half.wav"
    ```
    """
    from kerasep.data import audio as audio_files

    paths = outputs(separator.sources, folder, suffix, overwrite)
    return audio_files.info(path), paths


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


@contextlib.contextmanager
def writing(paths, sample_rate, channels, overwrite=False):
    """Write each source into a file of its own, all in one folder, which is made if it is missing.

    Args:
        paths: dict from source name to path, as `outputs` gives it.
        sample_rate: in Hz.
        channels: of each.
        overwrite: whether existing files may be replaced. Defaults to False.

    Yields:
        Function of a block `(samples, channels, sources)`. Where an error ends it, what was made is
        removed.

    Example:
    ```python
    import numpy as np
    from kerasep import recordings

    paths = recordings.outputs(["one", "two"], "halves")
    with recordings.writing(paths, 8000, 1) as write:
        write(np.full((800, 1, 2), 0.5, "float32"))
    assert paths["two"].is_file()
    ```
    """
    from kerasep.data import audio as audio_files

    with contextlib.ExitStack() as stack:
        stack.enter_context(_made(next(iter(paths.values())).parent))
        writers = [
            stack.enter_context(audio_files.Writer(path, sample_rate, channels, overwrite))
            for path in paths.values()
        ]

        def write(block):
            for index, writer in enumerate(writers):
                writer.write(block[..., index])

        yield write


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


@contextlib.contextmanager
def _made(folder):
    """Make a folder, and remove what was made where nothing comes to lie in it."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # raised for a folder that is not empty
            for path in new:
                path.rmdir()
        raise


def _audible(blocks, path):
    """Pass blocks on, and refuse them at the end if there was no sound in any."""
    heard = False
    for block in blocks:
        heard = heard or bool(np.any(block))
        yield block
    if not heard:
        raise InputError(f"{path} is silent throughout: there is nothing to separate")


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
