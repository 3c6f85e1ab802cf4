"""Separate recordings of any length, sample rate and channel count.

Keras is imported only for models, and an audio library only for files.
"""

import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from kerasep.errors import InputError, installed_by
from kerasep.separation import polarity
from kerasep.separation.bands import Band, check_band, reader
from kerasep.separation.bands import stems as stems
from kerasep.separation.chunks import (
    ChunkSeparator,
    check_waveform,
)
from kerasep.separation.ensembles import blended, normalized
from kerasep.separation.named_models import loaded, warn_untrained
from kerasep.system import logs

log = logs.logger(__name__)


def separate(
    model: Any = None,
    audio: str | os.PathLike | np.ndarray | None = None,
    sample_rate: int | None = None,
    *,
    wiener_iterations: int = 0,
    residual: str | None = None,
    consistent: bool | None = None,
    band: Band = "full",
    weights: Sequence[float] | None = None,
    chunk_seconds: float | None = None,
    overlap: float | None = None,
    both_polarities: bool = False,
    track: int | None = None,
) -> dict[str, np.ndarray]:
    """Separate a recording of any length, sample rate and number of channels.

    Long recordings are cut into overlapping chunks, whose results are cross-faded. For models of
    other projects this is done as by the project's own program (`model.chunking`). Memory beyond
    the result itself does not grow with the length. If the channels differ from the model's, they
    are separated in groups of as many as the model has. Sources that a model returns in any order
    (`model.interchangeable`) keep their order from chunk to chunk and from channel to channel: each
    takes the place that it agrees with best.

    If the sources make up the whole mixture, the stems add up to the recording, at its own rate:
    the rest of the mixture is shared among the estimates, and what lies outside the model's band
    goes to the source that stands for the rest, such as "accompaniment" or "other"
    (`kerasep.separation.residual.residual_source`). Other stems end at half the model's rate, which
    is logged.

    Args:
        model: A model of the zoo, a `Separator`, a `kerasep.tflite.Runtime` or a `ChunkSeparator`;
            or the name of a preset with trained weights, or the path of a saved model. A list of
            several is an ensemble: the stems are the mean of their estimates. They must have the
            same source names. Their rates may differ. Defaults to None:
            `kerasep.zoo.BEST_FOR_SONGS`. The log warns if a model was never trained.
        audio: Path of an audio file, or array `(samples, channels)` or `(samples,)`.
        sample_rate: Of an array, in Hz. Defaults to the (first) model's. A file has its own rate.
        wiener_iterations: See `Separator`. Only for models of the zoo. Defaults to 0.
        residual: See `Separator`. Only for models of the zoo. Defaults to None.
        consistent: Whether to make the estimates add up to the mixture, see `Separator`. Only for
            models of the zoo. Defaults to True if the sources make up the whole mixture.
        band: "full", or "model" to leave out what lies outside the model's band. Defaults to
            "full".
        weights: Relative weight of each model of an ensemble. Defaults to equal weights.
        chunk_seconds: Length of a chunk, for Keras models. Defaults to that of the model if it has
            its own, else 30.
        overlap: Share of a chunk that is in the next one too, for Keras models, from 0 to 0.5, and
            to below 1 for models that are cut as their originals are. More takes longer: 0.75 takes
            twice as long as 0.5. Defaults to that of the model if it has its own, else 4 seconds,
            or a quarter of a shorter chunk.
        both_polarities: Whether to separate the negative of the recording too, and to return the
            mean of both, in twice the time (`kerasep.separation.polarity.both_polarities`).
            Defaults to False.
        track: Which audio track of a file that has several, from 1. Defaults to the first, and the
            log lists all.

    Returns:
        Dict from source name to float32 array `(samples, channels)`, at the recording's own rate.
        Stems of a silent recording are silent, with a warning in the log.

    Raises:
        InputError: The audio is missing, empty, damaged or not finite, the models of an ensemble
            have different sources, or the weights or the band are invalid.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    stems = kerasep.separate(model, np.zeros((22050, 2), "float32"), sample_rate=22050)
    assert stems["drums"].shape == (22050, 2)
    ```
    """
    if audio is None:
        raise InputError(
            f"received no audio and model {model!r}, expected separate(model, audio), or "
            f"separate(audio=PATH) for the default model"
        )
    separators, weights = _members(
        model,
        weights,
        band,
        wiener_iterations,
        residual,
        consistent,
        chunk_seconds,
        overlap,
    )
    if both_polarities:
        separators = [polarity.both_polarities(separator) for separator in separators]
    if isinstance(audio, str | os.PathLike):
        if sample_rate is not None:
            raise InputError(
                f"received sample_rate={sample_rate} for {audio}: a file knows its own"
            )
        header, read = _audio_file(audio, track)
        rate, samples, name = header.sample_rate, header.samples, audio
    else:
        if track is not None:
            raise InputError(f"received track={track} with an array, expected it with a path")
        waveform = check_waveform(audio)
        rate = separators[0].sample_rate if sample_rate is None else sample_rate
        if rate <= 0:
            raise InputError(f"received sample_rate={rate}, expected a rate above 0 Hz")
        samples, read, name = len(waveform), lambda: [waveform], "the recording"
    separators = _silent_for_silence(separators, read(), name)
    result = np.concatenate(list(blended(separators, weights, read, rate, samples, band)))
    sources = separators[0].sources
    return {name: np.ascontiguousarray(result[..., i]) for i, name in enumerate(sources)}


def separate_file(
    model: Any,
    path: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    suffix: str = ".wav",
    bits: str | int | None = None,
    stems: Iterable[str] | None = None,
    minus: Iterable[str] | None = None,
    normalize: bool = False,
    name: str = "{stem}",
    overwrite: bool = False,
    resume: bool = False,
    wiener_iterations: int = 0,
    residual: str | None = None,
    consistent: bool | None = None,
    band: Band = "full",
    weights: Sequence[float] | None = None,
    track: int | None = None,
    progress: Callable[[float], object] | None = None,
) -> dict[str, pathlib.Path]:
    """Separate a file into one file per source, written block by block in constant memory.

    Stems of a silent recording are silent, with a warning in the log. Title, artist, cover and the
    like are copied to the stems, with the name of the stem behind the title.

    Args:
        model: As in `separate`.
        path: The audio file.
        folder: Folder for `<source><suffix>`, created if missing.
        suffix: ".wav", ".flac", ".ogg", ".mp3", ".m4a" or ".opus". Defaults to ".wav".
        bits: Per sample, see `kerasep.data.write`. Defaults to "32f" for WAV and "24" for FLAC.
        stems: The sources to write. Defaults to all, or to none if there is `minus`.
        minus: Sources to subtract from the recording, each for a file such as "minus_vocals.wav".
        normalize: Whether to turn all files down by one gain if one of them exceeds full scale, so
            that none clips and they still add up to the recording, turned down as much. Defaults to
            False.
        name: Path of each file in the folder without suffix. It has the field "{stem}". Defaults to
            "{stem}".
        overwrite: Whether existing files may be replaced. Defaults to False.
        resume: Whether to keep existing stems that can belong to this file (see
            `stem_files.whole_stems`) and to write only the others. Defaults to False.
        wiener_iterations: See `Separator`. Only for models of the zoo. Defaults to 0.
        residual: See `Separator`. Only for models of the zoo. Defaults to None.
        consistent: See `separate`. Only for models of the zoo. Defaults to True if the sources make
            up the whole mixture.
        band: See `separate`. Defaults to "full".
        weights: See `separate`. Defaults to equal weights.
        track: Which audio track of a file that has several, from 1. Defaults to the first, and the
            log lists all.
        progress: Called with the share of the file that is done, 0 to 1.

    Returns:
        Dict to the path of each file from the name of its source, such as "vocals", or
            "minus_vocals".

    Raises:
        InputError: The file cannot be read, an output exists, or a name is not a source. Nothing
            half-written is left.

    Example:
    ```python
    import kerasep

    kerasep.data.write("mixture.wav", kerasep.data.song(0, 2.0)["vocals"], 16000, overwrite=True)
    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.separation.separate_file(model, "mixture.wav", "stems", overwrite=True)
    ```
    """
    with installed_by():
        from kerasep.data.audio.tags import read_tags
        from kerasep.separation.stem_files import outputs, requested_outputs, whole_stems, writing

    separators, weights = _members(model, weights, band, wiener_iterations, residual, consistent)
    sources = separators[0].sources
    requested = requested_outputs(sources, stems, minus)
    paths = outputs(requested, folder, suffix, overwrite or resume, name)
    header, read = _audio_file(path, track)
    rate, samples, done = header.sample_rate, header.samples, 0
    kept = whole_stems(paths, header, bits) if resume and not overwrite else set()
    if len(kept) == len(paths):
        return paths
    separators = _silent_for_silence(separators, read(), path)
    next_mixture = reader(read()) if minus else None
    with writing(
        paths,
        sources,
        header,
        overwrite=overwrite,
        kept=kept,
        bits=bits,
        normalize=normalize,
        tags=read_tags(path),
    ) as write:
        for block in blended(separators, weights, read, rate, samples, band):
            write(block, next_mixture(len(block)) if next_mixture else None)
            done += len(block)
            if progress:
                progress(done / samples)
    return paths


def as_chunk_separator(
    model: Any,
    wiener_iterations: int = 0,
    residual: str | None = None,
    consistent: bool | None = None,
    chunk_seconds: float | None = None,
    overlap: float | None = None,
) -> ChunkSeparator:
    """Return a chunk separator for anything that separates.

    Args:
        model: A model of the zoo, a `Separator`, a `kerasep.tflite.Runtime` or a `ChunkSeparator`.
            The other arguments are ignored for files and chunk separators.
        wiener_iterations: See `as_separator`. Defaults to 0.
        residual: See `as_separator`. Defaults to None.
        consistent: See `as_separator`. Defaults to True if the sources make up the whole mixture.
        chunk_seconds: See `chunk_separator`. Defaults to the model's own, else 30.
        overlap: See `chunk_separator`. Defaults to the model's own, else 4 seconds, or a quarter of
            a shorter chunk.

    Returns:
        A `ChunkSeparator`.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    separator = kerasep.separation.as_chunk_separator(model)
    assert separator.residual == "other"
    ```
    """
    if isinstance(model, ChunkSeparator):
        return model
    model = loaded(model)
    if hasattr(model, "chunk_separator"):
        return model.chunk_separator()
    if not hasattr(model, "sources"):
        raise InputError(
            f"received a model of type {type(model).__name__}, expected a model of the zoo, a "
            f"Separator, a Runtime or a name: load one by kerasep.zoo.load"
        )
    warn_untrained(model)
    with installed_by("kerasep"):  # kerasep-runtime has no models
        from kerasep.separation.separator import as_separator, chunk_separator

    separator = as_separator(model, wiener_iterations, residual, consistent)
    return chunk_separator(separator, chunk_seconds, overlap)


def _members(model, weights, band, *settings):
    """Return the chunk separators of a model or an ensemble, and their weights."""
    check_band(band)
    is_one = isinstance(model, ChunkSeparator) or not isinstance(model, list | tuple)
    separators = [
        as_chunk_separator(member, *settings) for member in ([model] if is_one else model)
    ]
    return separators, normalized(separators, weights)


def _audio_file(path, track):
    """Return the header of an audio file, and a function that reads its blocks."""
    with installed_by():
        from kerasep.data.audio import reading
        from kerasep.data.audio.audio_tracks import stream_of

    stream = stream_of(path, track)
    return reading.info(path, stream), lambda: reading.stream(path, stream=stream)


def _silent_for_silence(separators, blocks, name):
    """Return the separators, or ones whose stems are silent if the blocks are."""
    if any(np.any(block) for block in blocks):
        return separators
    # A model may return noise, where layers have biases, or NaN, where they normalise.
    log.warning("%s is silent throughout: so are its stems", name)
    count = len(separators[0].sources)
    return [
        separator._replace(
            process=lambda batch: np.zeros((*batch.shape, count), "float32"), interchangeable=False
        )
        for separator in separators
    ]
