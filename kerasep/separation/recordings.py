"""Separate recordings of any length, sample rate and channel count.

Keras is imported only for models, and an audio library only for files.
"""

import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from kerasep.data import audio as audio_files
from kerasep.errors import InputError
from kerasep.separation.chunks import (
    CHUNK_SECONDS,
    OVERLAP_SECONDS,
    ChunkSeparator,
    by_channel_groups,
    check_waveform,
    crossfaded,
)
from kerasep.separation.stem_files import outputs, whole_stems, writing
from kerasep.system import logs

log = logs.logger(__name__)


def separate(
    model: Any,
    audio: str | os.PathLike | np.ndarray,
    sample_rate: int | None = None,
    *,
    wiener_iterations: int = 0,
    residual: str | None = None,
    consistent: bool = False,
    chunk_seconds: float = CHUNK_SECONDS,
    overlap_seconds: float = OVERLAP_SECONDS,
    track: int | None = None,
) -> dict[str, np.ndarray]:
    """Separate a recording of any length, sample rate and number of channels.

    Long recordings are cut into overlapping chunks, whose results are cross-faded away from the
    chunks' edges. Memory beyond the result itself does not grow with the length. If the channels
    differ from the model's, they are separated in groups of as many as the model has. Sources that
    a model returns in any order (`model.interchangeable`) keep their order from chunk to chunk and
    from channel to channel: each takes the place that it agrees with best. If the rate is above the
    model's, the stems have nothing above half the model's rate.

    Args:
        model: A model of the zoo, a `Separator`, a `kerasep.tflite.Runtime` or a `ChunkSeparator`.
        audio: Path of an audio file, or array `(samples, channels)` or `(samples,)`.
        sample_rate: Of an array, in Hz. Defaults to the model's. A file has its own rate.
        wiener_iterations: See `Separator`. Only for models of the zoo. Defaults to 0.
        residual: See `Separator`. Only for models of the zoo. Defaults to None.
        consistent: See `Separator`. Only for models of the zoo. Defaults to False.
        chunk_seconds: Length of a chunk, for Keras models. Defaults to 30.
        overlap_seconds: How much neighbouring chunks share, for Keras models. Defaults to 4.
        track: Which audio track of a file that has several, from 1. Defaults to the first, and the
            log lists all.

    Returns:
        Dict from source name to float32 array `(samples, channels)`, at the recording's own rate.
        Stems of a silent recording are silent, with a warning in the log.

    Raises:
        InputError: The audio is missing, empty, damaged or not finite.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    stems = kerasep.separate(model, np.zeros((22050, 2), "float32"), sample_rate=22050)
    assert stems["drums"].shape == (22050, 2)
    ```
    """
    separator = _as_chunk_separator(
        model, wiener_iterations, residual, consistent, chunk_seconds, overlap_seconds
    )
    if isinstance(audio, str | os.PathLike):
        if sample_rate is not None:
            raise InputError(
                f"received sample_rate={sample_rate} for {audio}: a file knows its own"
            )
        header, read = _audio_file(audio, track)
        rate, samples = header.sample_rate, header.samples
        separator = _silent_for_silence(separator, read(), audio)
    else:
        if track is not None:
            raise InputError(f"received track={track} with an array, expected it with a path")
        waveform = check_waveform(audio)
        rate = separator.sample_rate if sample_rate is None else sample_rate
        if rate <= 0:
            raise InputError(f"received sample_rate={rate}, expected a rate above 0 Hz")
        samples, read = len(waveform), lambda: [waveform]
        separator = _silent_for_silence(separator, read(), "the recording")
    result = np.concatenate(list(stems(separator, read(), rate, samples)))
    return {name: np.ascontiguousarray(result[..., i]) for i, name in enumerate(separator.sources)}


def separate_file(
    model: Any,
    path: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    suffix: str = ".wav",
    overwrite: bool = False,
    resume: bool = False,
    wiener_iterations: int = 0,
    residual: str | None = None,
    consistent: bool = False,
    track: int | None = None,
    progress: Callable[[float], object] | None = None,
) -> dict[str, pathlib.Path]:
    """Separate a file into one file per source, written block by block in constant memory.

    Stems of a silent recording are silent, with a warning in the log.

    Args:
        model: A model of the zoo, a `Separator`, a `kerasep.tflite.Runtime` or a `ChunkSeparator`.
        path: The audio file.
        folder: Folder for `<source><suffix>`, created if missing.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: Whether existing files may be replaced. Defaults to False.
        resume: Whether to keep existing stems that can belong to this file (see
            `recordings.whole_stems`) and to write only the others. Defaults to False.
        wiener_iterations: See `Separator`. Only for models of the zoo. Defaults to 0.
        residual: See `Separator`. Only for models of the zoo. Defaults to None.
        consistent: See `Separator`. Only for models of the zoo. Defaults to False.
        track: Which audio track of a file that has several, from 1. Defaults to the first, and the
            log lists all.
        progress: Called with the share of the file that is done, 0 to 1.

    Returns:
        Dict from source name to path.

    Raises:
        InputError: The file cannot be read or an output exists. Nothing half-written is left.

    Example:
    ```python
    import kerasep

    kerasep.data.write("mixture.wav", kerasep.data.song(0, 2.0)["vocals"], 16000, overwrite=True)
    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.separation.separate_file(model, "mixture.wav", "stems", overwrite=True)
    ```
    """
    separator = _as_chunk_separator(model, wiener_iterations, residual, consistent)
    paths = outputs(separator.sources, folder, suffix, overwrite or resume)
    header, read = _audio_file(path, track)
    rate, samples, done = header.sample_rate, header.samples, 0
    kept = whole_stems(paths, header) if resume and not overwrite else set()
    if len(kept) == len(paths):
        return paths
    separator = _silent_for_silence(separator, read(), path)
    with writing(paths, rate, header.channels, overwrite, samples, kept) as write:
        for block in stems(separator, read(), rate, samples):
            write(block)
            done += len(block)
            if progress:
                progress(done / samples)
    return paths


def stems(
    separator: ChunkSeparator, blocks: Iterable[np.ndarray], sample_rate: int, samples: int
) -> Iterator[np.ndarray]:
    """Separate a recording block by block.

    Args:
        separator: A `ChunkSeparator`.
        blocks: Iterable of successive arrays `(n, channels)`.
        sample_rate: Of the blocks, in Hz. They are resampled if the separator's rate differs.
        samples: Total number of samples in the blocks.

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
    if missing:  # resampling there and back rounds the length twice
        yield np.zeros((missing, *shape), "float32")


def _as_chunk_separator(
    model,
    wiener_iterations,
    residual,
    consistent,
    chunk_seconds=CHUNK_SECONDS,
    overlap_seconds=OVERLAP_SECONDS,
):
    """Return a chunk separator for a Keras model, an exported file or a chunk separator."""
    if isinstance(model, ChunkSeparator):
        return model
    if hasattr(model, "chunk_separator"):
        return model.chunk_separator()
    from kerasep.separation.separator import as_separator, chunk_separator

    separator = as_separator(model, wiener_iterations, residual, consistent)
    return chunk_separator(separator, chunk_seconds, overlap_seconds)


def _audio_file(path, track):
    """Return the header of an audio file, and a function that reads its blocks."""
    from kerasep.data.audio.audio_tracks import stream_of

    stream = stream_of(path, track)
    return audio_files.info(path, stream), lambda: audio_files.stream(path, stream=stream)


def _silent_for_silence(separator, blocks, name):
    """Return the separator, or one whose stems are silent if the blocks are."""
    if any(np.any(block) for block in blocks):
        return separator
    # A model may return noise, where layers have biases, or NaN, where they normalise.
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
    # Even less than one sample at the new rate becomes one: a recording never disappears.
    yield resampled if samples + len(resampled) else np.zeros((1, *shape), "float32")
