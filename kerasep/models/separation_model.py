"""Base class of all architectures in the zoo."""

import math
import numbers
import os
from collections.abc import Iterable
from typing import Any, Self

import keras

from kerasep.errors import InputError
from kerasep.models.copies import KNOWLEDGE, Copied
from kerasep.system.types import Tensor


class SeparationModel(Copied):
    """A Functional model with the names of its sources, its sample rate and its transform.

    A subclass builds its graph in `__init__` from arguments that JSON can store, and calls
    `super().__init__(inputs, outputs, name=name)`. Every argument then becomes an attribute of the
    same name, and the model is saved, restored and cloned by its arguments alone.

    Attributes:
        sources: tuple of names, in the order of the last axis of the outputs.
        sample_rate: in Hz.
        channels: number of channels of the mixture.
        domain: "spectrogram" (magnitude in, source magnitudes out) or "waveform".
        stft: dict of n_fft, hop and window of a spectrogram model, else None.
        latency: samples from input to output of a causal model, else None.
        chunk_seconds: length of the chunks that recordings are cut into for a model that was made
            for one length, else None.
        chunk_overlap: share of a chunk that is in the next one too, or None for 4 s or a quarter.
        chunking: whose program cuts recordings and joins the stems so: "kerasep", "demucs", "msst"
            for Music-Source-Separation-Training, or "uvr" for Ultimate Vocal Remover.
        interchangeable: whether any output may be any source, as after permutation invariant
            training or clustering. Then the chunks of a long recording are brought into one order.
        preset: name of the preset that `kerasep.zoo.load` built it from, else None.
        licence: licence of its published weights, else None.
        recipe: dict of how its preset is trained, empty by default.
        trained: whether weights were loaded or set, or the model was called with `training=True`.
            If not, `kerasep.separate` warns.

    Example:
    ```python
    import keras
    from kerasep.models import SeparationModel

    class Halves(SeparationModel):
        domain = "waveform"

        def __init__(self, sources=("left", "right"), sample_rate=16000, channels=1, name="halves"):
            waveform = keras.Input((None, channels), name="mixture")
            halves = keras.ops.stack([waveform / 2] * len(sources), axis=-1)
            super().__init__(waveform, halves, name=name)

    assert Halves.from_config(Halves().get_config()).sample_rate == 16000
    ```
    """

    domain = "spectrogram"
    stft: dict[str, Any] | None = None
    latency: int | None = None
    chunk_seconds: float | None = None
    chunk_overlap: float | None = None
    chunking = "kerasep"
    interchangeable = False
    preset: str | None = None
    licence: str | None = None
    _class_attributes = (
        *("sources", "sample_rate", "channels", "domain", "stft", "latency", "interchangeable"),
        *("chunk_seconds", "chunk_overlap", "chunking"),
        *KNOWLEDGE,
    )

    def __init__(self, inputs: Tensor, outputs: Tensor, name: str | None = None) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.recipe: dict[str, Any] = {}

    @classmethod
    def from_preset(
        cls,
        name: str | os.PathLike,
        weights: str | os.PathLike | bool | None = None,
        **overrides: Any,
    ) -> Self:
        """Load a preset of this class, or a saved model: see `kerasep.zoo.load`.

        Args:
            name: "entry" or "entry/preset", or the path of a `.keras` file or a training run.
            weights: as in `kerasep.zoo.load`. Defaults to None: those in the package, if any.
            **overrides: arguments of the class that differ from the preset's.

        Returns:
            The model.

        Raises:
            InputError: the name stands for a model of another class, or as `kerasep.zoo.load`.

        Example:
        ```python
        from kerasep.models import SeparationModel, UNetLike

        assert SeparationModel.from_preset("unet_like/karaoke").trained
        assert UNetLike.from_preset("unet_like", weights=False).sample_rate == 8192
        ```
        """
        from kerasep.zoo import registry

        preset_class = registry.class_of(name)
        if not issubclass(preset_class, cls):
            raise InputError(
                f"received {name} for {cls.__name__}, expected a model of this class: use "
                f"{preset_class.__name__}.from_preset, or kerasep.zoo.load"
            )
        return registry.load(name, weights, **overrides)

    def estimate(self, mixture: Tensor) -> Tensor:
        """Return the estimates for separation, which for most models are the outputs.

        Models that are trained on something else, such as an embedding, override this.

        Args:
            mixture: the model's input, a tensor or a symbolic tensor.

        Returns:
            Source magnitudes `(batch, frames, bins, channels, sources)`, or source waveforms
            `(batch, samples, channels, sources)`.
        """
        return self(mixture)

    def without_level(self) -> keras.Model | None:
        """Return the part of the model that takes and returns normalised waveforms.

        Returns:
            A model that shares the weights, from the mixture less its mean over its deviation to
            estimates that are likewise normalised. None, the default, if this model does not
            normalise the mixture.

        Example:
        ```python
        from kerasep.models import DemucsLike

        sizes = {"filters": 4, "levels": 2, "lstm_layers": 0}
        model = DemucsLike(["vocals", "rest"], 8000, 1, **sizes)
        assert model.without_level().count_params() == model.count_params()
        assert DemucsLike(normalize=False, **sizes).without_level() is None
        ```
        """
        return None

    def adapt(self, dataset: Iterable) -> None:
        """Set the model's normalisation by statistics of the training data; by default do nothing.

        Args:
            dataset: batches of (magnitude, reference), as from `kerasep.data.spectrograms`.
        """


def check_signal(sources, sample_rate, channels, least=1):
    """Validate sources, rate and channels of a model; return the sources as a tuple."""
    listed = isinstance(sources, list | tuple)
    if not listed or not sources or len(set(map(str, sources))) != len(sources):
        raise InputError(
            f"received sources={sources!r}, expected a list of one or more different names, "
            f"such as ['vocals', 'drums']"
        )
    if not all(isinstance(name, str) and name.replace("_", "").isalnum() for name in sources):
        raise InputError(f"received sources={sources!r}, expected names of letters, digits and _")
    if len(sources) < least:
        raise InputError(
            f"received sources={list(sources)}, expected {least} or more: this model shares the "
            f"mixture among them"
        )
    if not all(isinstance(n, numbers.Real) and n >= 1 for n in (sample_rate, channels)):
        raise InputError(
            f"received sample_rate={sample_rate!r}, channels={channels!r}, expected numbers above 0"
        )
    return tuple(sources)


def check_chunk(chunk_seconds):
    """Raise `InputError` for a length of chunks that is not above 0."""
    if not 0 < chunk_seconds < math.inf:
        raise InputError(f"received chunk_seconds={chunk_seconds}, expected a number above 0")


def check_activation(**arguments):
    """Raise `InputError` for an activation that Keras does not know."""
    for argument, name in arguments.items():
        try:
            keras.activations.get(name)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"received {argument}={name!r}, expected the name of one of keras.activations"
            ) from error
