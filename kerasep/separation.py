"""Using a model: waveforms in, source waveforms out, at any length, rate and channel count."""

import contextlib
import pathlib

import numpy as np
import soxr

from kerasep.chunks import by_channel_groups, check_waveform, crossfaded
from kerasep.data import audio as audio_files
from kerasep.errors import InputError
from kerasep.separator import Separator, as_separator

__all__ = ["Separator", "as_separator", "pad_to_frames", "separate", "separate_file"]

CHUNK_SECONDS = 30.0
OVERLAP_SECONDS = 4.0


def separate(
    model,
    audio,
    sample_rate=None,
    *,
    wiener_iterations=0,
    residual=None,
    chunk_seconds=CHUNK_SECONDS,
    overlap_seconds=OVERLAP_SECONDS,
):
    """Separate a recording of any length, sample rate and number of channels.

    Long recordings are cut into overlapping chunks, whose results are cross-faded well away from
    the chunks'
    edges; memory beyond the result itself does not grow with the length. Where the channels
    differ from the model's, they are separated in groups of as many as the model has. Where the
    rate is above the model's, the stems have nothing above half the model's rate.

    Args:
        model: a model of the zoo, or a `Separator`.
        audio: path of an audio file, or array `(samples, channels)` or `(samples,)`.
        sample_rate: of an array, in Hz. Default: the model's. A path knows its own.
        wiener_iterations: see `Separator`; ignored if one is given.
        residual: see `Separator`; ignored if one is given.
        chunk_seconds: length of a chunk. Defaults to 30.
        overlap_seconds: how much neighbouring chunks share. Defaults to 4.

    Returns:
        Dict from source name to float32 array `(samples, channels)`, at the recording's own rate.

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
    separator = as_separator(model, wiener_iterations, residual)
    if isinstance(audio, str | pathlib.Path):
        if sample_rate is not None:
            raise InputError(
                f"received sample_rate={sample_rate} for {audio}: a file knows its own"
            )
        header = audio_files.info(audio)
        blocks = audio_files.stream(audio, sample_rate=separator.sample_rate)
    else:
        waveform = check_waveform(audio)
        sample_rate = separator.sample_rate if sample_rate is None else sample_rate
        if sample_rate <= 0:
            raise InputError(f"received sample_rate={sample_rate}, expected a rate above 0 Hz")
        header = audio_files.AudioInfo(sample_rate, *waveform.shape)
        blocks = [audio_files.resample(waveform, sample_rate, separator.sample_rate)]
    stems = _stems(separator, blocks, header, chunk_seconds, overlap_seconds)
    result = np.concatenate(list(stems))
    return {name: np.ascontiguousarray(result[..., i]) for i, name in enumerate(separator.sources)}


def separate_file(
    model,
    path,
    folder,
    *,
    suffix=".wav",
    overwrite=False,
    wiener_iterations=0,
    residual=None,
    progress=None,
):
    """Separate a file into one file a source, written as they come: memory stays flat.

    Args:
        model: a model of the zoo, or a `Separator`.
        path: the audio file.
        folder: where `<source><suffix>` go; made if it is missing.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        overwrite: whether existing files may be replaced. Defaults to False.
        wiener_iterations: see `Separator`.
        residual: see `Separator`.
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
    separator = as_separator(model, wiener_iterations, residual)
    header = audio_files.info(path)
    folder = pathlib.Path(folder)
    paths = {name: folder / f"{name}{suffix}" for name in separator.sources}
    folder.mkdir(parents=True, exist_ok=True)
    blocks = audio_files.stream(path, sample_rate=separator.sample_rate)
    stems = _stems(separator, blocks, header, CHUNK_SECONDS, OVERLAP_SECONDS)
    done = 0
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(
                audio_files.Writer(path, header.sample_rate, header.channels, overwrite)
            )
            for path in paths.values()
        ]
        for block in stems:
            for index, writer in enumerate(writers):
                writer.write(block[..., index])
            done += len(block)
            if progress:
                progress(done / header.samples)
    return paths


def pad_to_frames(waveform, transform):
    """Append silence up to a whole number of hops, and to one frame at least.

    A shorter waveform cannot be mirrored, and behind the last whole hop a window may be too small
    to divide by.

    Args:
        waveform: array `(samples, channels)`.
        transform: dict with n_fft and hop, or None to leave the waveform as it is.

    Returns:
        Array `(samples or more, channels)`.

    Example:
    >>> import numpy as np
    >>> pad_to_frames(np.ones((1000, 2)), {"n_fft": 512, "hop": 256}).shape
    (1024, 2)
    """
    if transform is None:
        return waveform
    samples, hop = len(waveform), transform["hop"]
    missing = max(transform["n_fft"], -(-samples // hop) * hop) - samples
    return np.pad(waveform, ((0, missing), (0, 0)))


def _stems(separator, blocks, header, chunk_seconds, overlap_seconds):
    """Separate blocks at the model's rate; yield `(n, channels, sources)` at the header's."""
    rate, transform = separator.sample_rate, separator.model.stft

    def process(waveform):
        padded = pad_to_frames(waveform, transform)
        result = by_channel_groups(separator.predict_on_batch, padded, separator.channels)
        return result[: len(waveform)]

    chunk, overlap = round(chunk_seconds * rate), round(overlap_seconds * rate)
    stems = crossfaded(blocks, process, chunk, overlap, transform["hop"] if transform else 1)
    if rate != header.sample_rate:
        stems = _resampled(stems, rate, header.sample_rate)
    missing = header.samples
    for block in stems:
        block = block[:missing]
        missing -= len(block)
        yield block
    if missing:  # there and back, resampling rounds the length twice
        yield np.zeros((missing, header.channels, len(separator.sources)), "float32")


def _resampled(blocks, rate, new_rate):
    """Resample a stream of `(n, channels, sources)` blocks."""
    resampler = None
    for block in blocks:
        shape = block.shape[1:]
        if resampler is None:
            resampler = soxr.ResampleStream(rate, new_rate, shape[0] * shape[1], "float32")
        yield resampler.resample_chunk(block.reshape(len(block), -1)).reshape(-1, *shape)
    if resampler is not None:
        empty = np.zeros((0, shape[0] * shape[1]), "float32")
        yield resampler.resample_chunk(empty, last=True).reshape(-1, *shape)
