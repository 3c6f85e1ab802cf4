"""What every architecture of the zoo has in common."""

import inspect
import numbers

import keras

from kerasep.errors import InputError
from kerasep.models.copies import KNOWLEDGE, Copied, dtype_config, plain

# What a subclass may set beside its arguments.
_ATTRIBUTES = ("sources", "sample_rate", "channels", "domain", "stft", "latency", "interchangeable")


class SeparationModel(Copied):
    """A Functional model that knows which sources it separates, and at what rate.

    A subclass builds its graph in `__init__` from plain JSON-able arguments, calls
    `super().__init__(inputs, outputs, name=name)` and stores each argument under its own name; it
    then is saved, restored and cloned by those arguments alone. It also sets:

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
            self.sources = tuple(sources)
            self.sample_rate = sample_rate
            self.channels = channels

    assert Halves.from_config(Halves().get_config()).sources == ("left", "right")
    ```
    """

    domain = "spectrogram"
    stft = None
    latency = None
    interchangeable = False
    preset = None
    licence = None

    def __init__(self, inputs, outputs, name=None):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.recipe = {}

    def estimate(self, mixture):
        """Give what separation uses, which for most models is the output itself.

        A model that is trained on something else, such as an embedding, overrides this.

        Args:
            mixture: what the model takes, a tensor or a symbolic one.

        Returns:
            Source magnitudes `(batch, frames, bins, channels, sources)`, or source waveforms
            `(batch, samples, channels, sources)`.
        """
        return self(mixture)

    def adapt(self, dataset):
        """Start the model's normalisation from statistics of the training data; by default nothing.

        Args:
            dataset: batches of (magnitude, reference), as `kerasep.data.spectrograms` gives them.
        """

    def get_config(self):
        """Return exactly the constructor's arguments, and `dtype` unless it is float32."""
        names = inspect.signature(type(self)).parameters
        return {name: plain(getattr(self, name)) for name in names} | dtype_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build a model of the same arguments and precision."""
        return cls(**{"dtype": "float32"} | config)

    def share_knowledge(self, other):
        """Set on another model what this one knows beside its layers and weights.

        Args:
            other: a `keras.Model`, such as one that wraps this one to train it; it gets the
                constructor's arguments, sources, signal and transform, recipe, preset and licence.
        """
        layers = {layer.name: layer for layer in other.layers}
        own = [name for name in self._own_attributes if name not in vars(other)]
        for name in (*own, *_ATTRIBUTES, *KNOWLEDGE):
            value = getattr(self, name)
            if not isinstance(value, keras.layers.Layer):
                setattr(other, name, value)
            elif value.name in layers:
                setattr(other, name, layers[value.name])

    def _take_after(self, original):
        original.share_knowledge(self)


def check_signal(sources, sample_rate, channels, least=1):
    """Refuse a set of sources, a rate or a channel count that no model can have.

    Args:
        sources: names.
        sample_rate: in Hz.
        channels: of the mixture.
        least: how many sources the model needs. Defaults to 1.

    Returns:
        The sources as a tuple.

    Raises:
        InputError: with what was received.
    """
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
    """Refuse an activation that Keras does not know.

    Args:
        **arguments: names of activations, by the arguments that they were given for.

    Raises:
        InputError: with the argument and what was received.

    Example:
    >>> check_activation(mask_activation="sigmoid")
    """
    for argument, name in arguments.items():
        try:
            keras.activations.get(name)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"received {argument}={name!r}, expected the name of one of keras.activations"
            ) from error
