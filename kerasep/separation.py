"""Using a model: waveforms in, source waveforms out, at any length, rate and channel count."""

import contextlib
import pathlib

import keras
import numpy as np
import soxr

from kerasep.chunks import by_channel_groups, check_waveform, crossfaded
from kerasep.data import audio as audio_files
from kerasep.errors import InputError
from kerasep.layers import STFT, InverseSTFT, Magnitude, WienerFilter

CHUNK_SECONDS = 30.0
OVERLAP_SECONDS = 4.0


@keras.saving.register_keras_serializable("kerasep")
class Separator(keras.Model):
    """Any model of the zoo as one Functional model from waveform to waveforms.

    For a spectrogram model: STFT, network, phase, inverse STFT. It is what is used, what can be trained with a
    waveform loss (the weights are the model's own), and what is exported.

    Args:
        model: a `kerasep.models.SeparationModel`.
        wiener_iterations: iterations of the multichannel Wiener filter; 0 gives the mixture's phase
            to the estimates as they are. Defaults to 0.
        residual: name of one more source, the mixture less all the others; None for none.
            Defaults to None.
        name: name of the model.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: for a Wiener filter on a waveform model, or a residual named like a source.

    Example:

    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", sources=["vocals"], hidden=16)
    separator = kerasep.Separator(model, residual="accompaniment")
    assert separator.sources == ("vocals", "accompaniment")
    assert separator.predict_on_batch(np.zeros((1, 8000, 1))).shape == (1, 8000, 1, 2)
    ```
    """

    def __init__(self, model, wiener_iterations=0, residual=None, name="separator"):
        if residual in model.sources:
            raise InputError(f"received residual={residual!r}, which the model separates itself")
        waveform = keras.Input((None, model.channels), name="mixture")
        if model.domain == "spectrogram":
            spectrum = STFT(**model.stft, name="stft")(waveform)
            estimates = model(Magnitude(name="mixture_magnitude")(spectrum))
            spectra = WienerFilter(wiener_iterations, name="phase")(spectrum, estimates)
            outputs = [
                InverseSTFT(**model.stft, name=f"istft_{source}")(
                    spectra[..., index, :], like=waveform
                )
                for index, source in enumerate(model.sources)
            ]
            stacked = keras.ops.stack(outputs, axis=-1)
        elif wiener_iterations:
            raise InputError(
                f"received wiener_iterations={wiener_iterations} for the waveform model "
                f"{model.name}, expected 0: the filter needs magnitudes"
            )
        else:
            stacked = model(waveform)
        if residual is not None:
            rest = waveform - keras.ops.sum(stacked, axis=-1)
            stacked = keras.ops.concatenate([stacked, rest[..., None]], axis=-1)
        super().__init__(inputs=waveform, outputs=stacked, name=name)
        self.model = model
        self.wiener_iterations = wiener_iterations
        self.residual = residual
        self.sources = (*model.sources, *([] if residual is None else [residual]))
        self.sample_rate = model.sample_rate
        self.channels = model.channels
        self.latency = model.latency
        self.hop = model.stft["hop"] if model.stft else 1

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "model": keras.saving.serialize_keras_object(self.model),
            "wiener_iterations": self.wiener_iterations,
            "residual": self.residual,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build a separator around a model of the same arguments."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{**config, "model": model})


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

    Long recordings are cut into overlapping chunks, whose results are cross-faded well away from the chunks'
    edges; memory beyond the result itself does not grow with the length. Where the channels
    differ from the model's, they are separated in groups of as many as the model has.

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
        sample_rate, samples = header.sample_rate, header.samples
        blocks = audio_files.stream(audio, sample_rate=separator.sample_rate)
    else:
        waveform = check_waveform(audio)
        sample_rate = sample_rate or separator.sample_rate
        samples = len(waveform)
        blocks = [audio_files.resample(waveform, sample_rate, separator.sample_rate)]
    stems = _stems(separator, blocks, sample_rate, samples, chunk_seconds, overlap_seconds)
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
    stems = _stems(
        separator, blocks, header.sample_rate, header.samples, CHUNK_SECONDS, OVERLAP_SECONDS
    )
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


def as_separator(model, wiener_iterations=0, residual=None):
    """Wrap a model in a `Separator`, unless it is one.

    Args:
        model: a model of the zoo, or a `Separator`.
        wiener_iterations: see `Separator`.
        residual: see `Separator`.

    Returns:
        A `Separator`.
    """
    return model if isinstance(model, Separator) else Separator(model, wiener_iterations, residual)


def _stems(separator, blocks, sample_rate, samples, chunk_seconds, overlap_seconds):
    """Separate blocks at the model's rate; yield `samples` of `(n, channels, sources)` in all."""
    rate = separator.sample_rate

    def process(waveform):
        return by_channel_groups(separator.predict_on_batch, waveform, separator.channels)

    stems = crossfaded(
        blocks, process, round(chunk_seconds * rate), round(overlap_seconds * rate), separator.hop
    )
    if rate != sample_rate:
        stems = _resampled(stems, rate, sample_rate)
    for block in stems:
        block = block[:samples]
        samples -= len(block)
        yield block
    if samples:  # there and back, resampling rounds the length twice
        yield np.zeros((samples, *block.shape[1:]), "float32")


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
