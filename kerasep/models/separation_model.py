"""What every architecture of the zoo has in common."""

import numbers
from collections.abc import Iterable
from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.models.copies import KNOWLEDGE, Copied
from kerasep.system.types import Tensor


class SeparationModel(Copied):
    """A Functional model that knows which sources it separates, and at what rate.

    A subclass builds its graph in `__init__` from plain JSON-able arguments and calls
    `super().__init__(inputs, outputs, name=name)`. Every argument is then an attribute of its own
    name, and the model is saved, restored and cloned by its arguments alone. A model knows:

    Attributes:
        sources: tuple of names, in the order of the outputs' last axis.
        sample_rate: in Hz.
        channels: of the mixture.
        domain: "spectrogram" (magnitude in, source magnitudes out) or "waveform".
        stft: dict of n_fft, hop and window, for a spectrogram model.
        latency: samples from input to output of a causal model, else None.
        interchangeable: whether any output may be any source, as after permutation invariant
            training or clustering; the chunks of a long recording are then put in one order.
        preset: name of the preset that `kerasep.zoo.load` made it from, None for any other model.
        licence: of the published weights that it has, None for others.
        recipe: how the preset that it came from is trained; a dict, empty by default.

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
    interchangeable = False
    preset: str | None = None
    licence: str | None = None
    _class_attributes = (
        *("sources", "sample_rate", "channels", "domain", "stft", "latency", "interchangeable"),
        *KNOWLEDGE,
    )

    def __init__(self, inputs: Tensor, outputs: Tensor, name: str | None = None) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.recipe: dict[str, Any] = {}

    def estimate(self, mixture: Tensor) -> Tensor:
        """Give what separation uses, which for most models is the output itself.

        A model that is trained on something else, such as an embedding, overrides this.

        Args:
            mixture: what the model takes, a tensor or a symbolic one.

        Returns:
            Source magnitudes `(batch, frames, bins, channels, sources)`, or source waveforms
            `(batch, samples, channels, sources)`.
        """
        return self(mixture)

    def adapt(self, dataset: Iterable) -> None:
        """Start the model's normalisation from statistics of the training data; by default nothing.

        Args:
            dataset: batches of (magnitude, reference), as `kerasep.data.spectrograms` gives them.
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


def check_activation(**arguments):
    """Raise `InputError` for an activation that Keras does not know."""
    for argument, name in arguments.items():
        try:
            keras.activations.get(name)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"received {argument}={name!r}, expected the name of one of keras.activations"
            ) from error
