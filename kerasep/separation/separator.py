"""A model of the zoo as one model from waveform to waveforms."""

import math
from typing import Self

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.layers import STFT, InverseSTFT, Magnitude, MixtureConsistency, WienerFilter
from kerasep.models import weight_values
from kerasep.models.copies import Copied
from kerasep.models.separation_model import check_signal
from kerasep.separation import chunking
from kerasep.separation.chunks import CHUNK_SECONDS, OVERLAP_SECONDS, ChunkSeparator
from kerasep.separation.residual import is_consistent, residual_of


@keras.saving.register_keras_serializable("kerasep")
class Separator(Copied):
    """Any model of the zoo as one Functional model from waveform to waveforms.

    For a spectrogram model: STFT, network, phase, inverse STFT. A separator shares its model's
    weights. It is used for separation and export, and for training with waveform losses.

    Args:
        model: A `kerasep.models.SeparationModel`.
        wiener_iterations: Iterations of the multichannel Wiener filter. With 0 the estimates get
            the mixture's phase. Defaults to 0.
        residual: Name of an additional source: the mixture minus all other sources. Defaults to
            None: no residual.
        consistent: Whether to add an equal share of the difference between the mixture and the
            sum of the estimates to each estimate, so that they add up to the mixture. For models
            whose sources make up the whole mixture. Defaults to False.
        name: Name of the model.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: The weights are not finite, a waveform model gets a Wiener filter, the residual
            is named like a source or combined with `consistent`, or `consistent` is set for a
            single source.

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

    def __init__(
        self,
        model: keras.Model,
        wiener_iterations: int = 0,
        residual: str | None = None,
        consistent: bool = False,
        name: str = "separator",
    ):
        if consistent and residual is not None:
            raise InputError(
                f"received residual={residual!r} and consistent=True, expected one of them: "
                f"estimates that add up to the mixture leave no residual"
            )
        if consistent and len(model.sources) == 1:
            raise InputError(
                f"received consistent=True for the one source {model.sources[0]}, which would be "
                f"the mixture itself: leave it out, or name the rest by residual"
            )
        if residual in model.sources:
            raise InputError(f"received residual={residual!r}, which the model separates itself")
        # A model that diverged in training would estimate NaN.
        weight_values.check_model(model.name, model)
        sources = (*model.sources, *([] if residual is None else [residual]))
        check_signal(sources, model.sample_rate, model.channels)
        waveform = keras.Input((None, model.channels), name="mixture")
        if model.domain == "spectrogram":
            spectrum = STFT(**model.stft, name="stft")(waveform)
            estimates = model.estimate(Magnitude(name="mixture_magnitude")(spectrum))
            spectra = WienerFilter(wiener_iterations, name="phase")(spectrum, estimates)
            # One inverse transform for all sources, whose spectra become channels.
            count = len(model.sources)
            together = (-1, spectra.shape[2], model.channels * count, 2)
            waveforms = InverseSTFT(**model.stft, name="istft")(
                keras.layers.Reshape(together, name="side_by_side")(spectra), like=waveform
            )
            stacked = keras.layers.Reshape((-1, model.channels, count), name="apart")(waveforms)
        elif wiener_iterations:
            raise InputError(
                f"received wiener_iterations={wiener_iterations} for the waveform model "
                f"{model.name}, expected 0: the filter needs magnitudes"
            )
        else:
            stacked = model.estimate(waveform)
        stacked = _completed(stacked, waveform, residual, consistent)
        super().__init__(inputs=waveform, outputs=stacked, name=name)
        self.sources = sources
        self.sample_rate = model.sample_rate
        self.channels = model.channels
        self.latency = model.latency
        self.interchangeable = model.interchangeable

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Self:
        """Build a separator around a model of the same arguments."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{"dtype": "float32", **config, "model": model})

    def _knowledge(self):
        return self.model._knowledge()

    def __setstate__(self, state):
        self.model.__setstate__(state)


def _completed(stacked, waveform, residual, consistent):
    """Add the residual to source waveforms, or make them add up to the mixture."""
    if consistent:
        stacked = MixtureConsistency(name="consistency")(stacked, waveform)
    if residual is not None:
        rest = waveform - keras.ops.sum(stacked, axis=-1)
        stacked = keras.ops.concatenate([stacked, rest[..., None]], axis=-1)
    return stacked


def _without_level(separator):
    """Return a separator's part that takes a normalised mixture, if its model normalises it."""
    # Tracing it for every recording would take longer than a short one.
    cached = vars(separator).setdefault("__without_level", [])
    if not cached:
        network = separator.model.without_level()
        if network is not None:
            mixture = keras.Input((None, separator.channels), name="mixture")
            settings = (separator.residual, separator.consistent)
            outputs = _completed(network(mixture), mixture, *settings)
            network = keras.Model(mixture, outputs, name="without_level")
        cached.append(network)
    return cached[0]


def as_separator(
    model: keras.Model,
    wiener_iterations: int = 0,
    residual: str | None = None,
    consistent: bool | None = None,
) -> Separator:
    """Wrap a model in a `Separator`, unless it is one.

    The model caches its separators: tracing a new one for every call would take longer than a short
    recording.

    Args:
        model: A model of the zoo, or a `Separator`.
        wiener_iterations: See `Separator`.
        residual: See `Separator`.
        consistent: See `Separator`. Defaults to True if the model's sources make up the whole
            mixture (see `kerasep.separation.residual.residual_source`).

    Returns:
        A `Separator`.

    Example:
    ```python
    import kerasep
    from kerasep.separation import as_separator

    model = kerasep.zoo.load("open_unmix_like/small", sources=["vocals"], hidden=16)
    assert as_separator(model) is as_separator(as_separator(model))
    ```
    """
    if isinstance(model, Separator):
        return model
    # Keras would take an attribute for a part of the model.
    cached = vars(model).setdefault("__separators", {})
    if consistent is None:
        consistent = is_consistent(model, residual)
    settings = (wiener_iterations, residual, consistent)
    if settings not in cached:
        cached[settings] = Separator(model, *settings)
    return cached[settings]


def chunk_separator(
    separator: Separator,
    chunk_seconds: float | None = None,
    overlap: float | None = None,
) -> ChunkSeparator:
    """Return a chunk separator, which `kerasep.separation.recordings` takes, for a `Separator`.

    Args:
        separator: A `Separator`.
        chunk_seconds: Length of a chunk in seconds. Defaults to that of the model if it has its
            own, else 30.
        overlap: Share of a chunk that is in the next one too, from 0 to 0.5, and to below 1 for
            models that are cut as their originals are. Defaults to that of the model if it has its
            own, else 4 seconds, or a quarter of a shorter chunk.

    Returns:
        A `kerasep.separation.recordings.ChunkSeparator`.

    Raises:
        InputError: The overlap is out of range.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    separator = kerasep.separation.chunk_separator(kerasep.Separator(model))
    assert separator.chunk == 30 * model.sample_rate
    ```
    """
    model, rate, transform = separator.model, separator.sample_rate, separator.model.stft
    if chunk_seconds is None:
        chunk_seconds = model.chunk_seconds or CHUNK_SECONDS
    if overlap is None:
        overlap = model.chunk_overlap
    if overlap is None:
        overlap = min(OVERLAP_SECONDS / chunk_seconds, 0.25)
    way = chunking.of_model(model.chunking, getattr(model, "n_fft", None))
    if not 0 <= overlap < 1 or (overlap > 0.5 and not way.to_the_end):
        most = "below 1" if way.to_the_end else "0.5 for this model"
        raise InputError(
            f"received overlap={overlap}, expected a share of a chunk, from 0 to {most}: 0.5 takes "
            f"twice as long as 0"
        )
    chunk = round(chunk_seconds * rate)
    # Chunks start at every whole number of samples below the exact step, as in the originals.
    step = math.floor(round((1 - overlap) * chunk, 6))
    leveled = _without_level(separator)
    network = separator if leveled is None else leveled

    def process(batch):
        padded = pad_to_frames(batch, transform)
        return np.asarray(network.predict_on_batch(padded))[:, : batch.shape[1]]

    # Of sources that add up to the mixture, the means do.
    adds_up = separator.consistent or separator.residual is not None
    share = 1 / len(separator.sources) if adds_up else 1.0

    return ChunkSeparator(
        process,
        separator.sources,
        rate,
        separator.channels,
        chunk=chunk,
        overlap=chunk - step,
        hop=transform["hop"] if transform else 1,
        interchangeable=separator.interchangeable,
        residual=residual_of(separator),
        chunking=way,
        mean_share=None if leveled is None else share,
    )


def pad_to_frames(batch: np.ndarray, transform: dict | None) -> np.ndarray:
    """Append silence up to a whole number of hops, and to one frame at least.

    A shorter waveform cannot be mirrored. Behind the last whole hop, the window may be too small to
    divide by.

    Args:
        batch: Array `(batch, samples, channels)`.
        transform: Dict with `n_fft` and `hop`, or None to return the waveform unchanged.

    Returns:
        Array `(batch, padded samples, channels)`.

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
