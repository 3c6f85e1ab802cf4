"""Using a model: waveforms in, source waveforms out, at any length, rate and channel count."""

import numpy as np

from kerasep.separation import recordings
from kerasep.separation.separator import Separator, as_separator

__all__ = [
    "Separator",
    "as_separator",
    "chunk_separator",
    "pad_to_frames",
    "separate",
    "separate_file",
]

CHUNK_SECONDS = 30.0
OVERLAP_SECONDS = 4.0


def separate(
    model,
    audio,
    sample_rate=None,
    *,
    wiener_iterations=0,
    residual=None,
    consistent=False,
    chunk_seconds=CHUNK_SECONDS,
    overlap_seconds=OVERLAP_SECONDS,
    track=None,
):
    """Separate a recording of any length, sample rate and number of channels.

    Long recordings are cut into overlapping chunks, whose results are cross-faded well away from
    the chunks' edges; memory beyond the result itself does not grow with the length. Where the
    channels differ from the model's, they are separated in groups of as many as the model has.
    Sources that a model gives in any order (`model.interchangeable`) keep theirs from chunk to
    chunk and from channel to channel: each takes the place that it agrees with best.
    Where the rate is above the model's, the stems have nothing above half the model's rate.

    Args:
        model: a model of the zoo, or a `Separator`.
        audio: path of an audio file, or array `(samples, channels)` or `(samples,)`.
        sample_rate: of an array, in Hz. Default: the model's. A path knows its own.
        wiener_iterations: see `Separator`; ignored if one is given.
        residual: see `Separator`; ignored if one is given.
        consistent: see `Separator`; ignored if one is given.
        chunk_seconds: length of a chunk. Defaults to 30.
        overlap_seconds: how much neighbouring chunks share. Defaults to 4.
        track: which audio track of a file that has several, from 1. Defaults to the first, and the
            log names all.

    Returns:
        Dict from source name to float32 array `(samples, channels)`, at the recording's own rate.
        Of a recording that is silent throughout they are zeros, with a warning in the log.

    Raises:
        InputError: for audio that is missing, empty, damaged, or not finite.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    stems = kerasep.separate(model, np.zeros((22050, 2), "float32"), sample_rate=22050)
    assert stems["drums"].shape == (22050, 2)
    ```
    """
    separator = as_separator(model, wiener_iterations, residual, consistent)
    return recordings.separate(
        chunk_separator(separator, chunk_seconds, overlap_seconds),
        audio,
        sample_rate,
        track=track,
    )


def separate_file(
    model,
    path,
    folder,
    *,
    suffix=".wav",
    overwrite=False,
    wiener_iterations=0,
    residual=None,
    consistent=False,
    track=None,
    progress=None,
):
    """Separate a file into one file a source, written as they come: memory stays flat.

    The stems of a recording that is silent throughout are zeros, with a warning in the log.

    Args:
        model: a model of the zoo, or a `Separator`.
        path: the audio file.
        folder: where `<source><suffix>` go; made if it is missing.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.
        wiener_iterations: see `Separator`.
        residual: see `Separator`.
        consistent: see `Separator`.
        track: which audio track of a file that has several, from 1. Defaults to the first, and the
            log names all.
        progress: called with the share of the file that is done, 0 to 1.

    Returns:
        Dict from source name to path.

    Raises:
        InputError: for a file that cannot be read or an output that exists; nothing half-written
            is left.

    Example:
    ```python
    import kerasep

    kerasep.data.write("mixture.wav", kerasep.data.song(0, 2.0)["vocals"], 16000, overwrite=True)
    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.separation.separate_file(model, "mixture.wav", "stems", overwrite=True)
    ```
    """
    return recordings.separate_file(
        chunk_separator(as_separator(model, wiener_iterations, residual, consistent)),
        path,
        folder,
        suffix=suffix,
        overwrite=overwrite,
        track=track,
        progress=progress,
    )


def chunk_separator(separator, chunk_seconds=CHUNK_SECONDS, overlap_seconds=OVERLAP_SECONDS):
    """Make what `kerasep.separation.recordings` cuts recordings for.

    Args:
        separator: a `Separator`.
        chunk_seconds: length of a chunk. Defaults to 30.
        overlap_seconds: how much neighbouring chunks share. Defaults to 4.

    Returns:
        A `kerasep.separation.recordings.ChunkSeparator`.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    separator = kerasep.separation.chunk_separator(kerasep.Separator(model))
    assert separator.chunk == 30 * model.sample_rate
    ```
    """
    rate, transform = separator.sample_rate, separator.model.stft

    def process(batch):
        padded = pad_to_frames(batch, transform)
        return np.asarray(separator.predict_on_batch(padded))[:, : batch.shape[1]]

    return recordings.ChunkSeparator(
        process,
        separator.sources,
        rate,
        separator.channels,
        chunk=round(chunk_seconds * rate),
        overlap=round(overlap_seconds * rate),
        hop=transform["hop"] if transform else 1,
        interchangeable=separator.interchangeable,
    )


def pad_to_frames(batch, transform):
    """Append silence up to a whole number of hops, and to one frame at least.

    A shorter waveform cannot be mirrored, and behind the last whole hop a window may be too small
    to divide by.

    Args:
        batch: array `(batch, samples, channels)`.
        transform: dict with n_fft and hop, or None to leave the waveform as it is.

    Returns:
        Array `(batch, samples or more, channels)`.

    Example:
    >>> import numpy as np
    >>> pad_to_frames(np.ones((1, 1000, 2)), {"n_fft": 512, "hop": 256}).shape
    (1, 1024, 2)
    """
    if transform is None:
        return batch
    samples, hop = batch.shape[1], transform["hop"]
    missing = max(transform["n_fft"], -(-samples // hop) * hop) - samples
    return np.pad(batch, ((0, 0), (0, missing), (0, 0)))
