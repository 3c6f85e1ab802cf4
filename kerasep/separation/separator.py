"""A model of the zoo as one model from waveform to waveforms."""

import keras

from kerasep.errors import InputError
from kerasep.layers import STFT, InverseSTFT, Magnitude, MixtureConsistency, WienerFilter
from kerasep.models import weight_values
from kerasep.models.copies import Copied, dtype_config
from kerasep.models.separation_model import SeparationModel, check_signal


@keras.saving.register_keras_serializable("kerasep")
class Separator(Copied):
    """Any model of the zoo as one Functional model from waveform to waveforms.

    For a spectrogram model: STFT, network, phase, inverse STFT. It is what is used, what can be
    trained with a waveform loss (the weights are the model's own), and what is exported.

    Args:
        model: a `kerasep.models.SeparationModel`.
        wiener_iterations: iterations of the multichannel Wiener filter; 0 gives the mixture's phase
            to the estimates as they are. Defaults to 0.
        residual: name of one more source, the mixture less all the others; None for none.
            Defaults to None.
        consistent: whether what the estimates leave of the mixture is shared out equally among
            them, so that they add up to it; for models whose sources make up the whole mixture.
            Defaults to False.
        name: name of the model.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: for weights that are not finite, a Wiener filter on a waveform model, a residual
            named like a source or one beside `consistent`, which leaves nothing over, and
            `consistent` for a single source.

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
        self, model, wiener_iterations=0, residual=None, consistent=False, name="separator"
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
        # A model that came from no file may have diverged: every estimate would be NaN.
        weight_values.check_model(model.name, model)
        sources = (*model.sources, *([] if residual is None else [residual]))
        check_signal(sources, model.sample_rate, model.channels)
        waveform = keras.Input((None, model.channels), name="mixture")
        if model.domain == "spectrogram":
            spectrum = STFT(**model.stft, name="stft")(waveform)
            estimates = model.estimate(Magnitude(name="mixture_magnitude")(spectrum))
            spectra = WienerFilter(wiener_iterations, name="phase")(spectrum, estimates)
            # One inverse for all sources: their spectra lie together as so many channels.
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
        if consistent:
            stacked = MixtureConsistency(name="consistency")(stacked, waveform)
        if residual is not None:
            rest = waveform - keras.ops.sum(stacked, axis=-1)
            stacked = keras.ops.concatenate([stacked, rest[..., None]], axis=-1)
        super().__init__(inputs=waveform, outputs=stacked, name=name)
        self.model = model
        self.wiener_iterations = wiener_iterations
        self.residual = residual
        self.consistent = consistent
        self.sources = sources
        self.sample_rate = model.sample_rate
        self.channels = model.channels
        self.latency = model.latency
        self.interchangeable = model.interchangeable

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            "model": keras.saving.serialize_keras_object(self.model),
            "wiener_iterations": self.wiener_iterations,
            "residual": self.residual,
            "consistent": self.consistent,
            "name": self.name,
            **dtype_config(self),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build a separator around a model of the same arguments."""
        model = keras.saving.deserialize_keras_object(config["model"], custom_objects)
        return cls(**{"dtype": "float32", **config, "model": model})

    def _knowledge(self):
        return self.model._knowledge()

    def __setstate__(self, state):
        """Set what its model knows."""
        self.model.__setstate__(state)

    def _take_after(self, original):
        """Set what another separator knows, around the copy of its model."""
        (self.model,) = (layer for layer in self.layers if isinstance(layer, SeparationModel))
        self.__setstate__(original._knowledge())
        for name in ("wiener_iterations", "residual", "consistent", "sources", "sample_rate"):
            setattr(self, name, getattr(original, name))
        for name in ("channels", "latency", "interchangeable"):
            setattr(self, name, getattr(original, name))


def as_separator(model, wiener_iterations=0, residual=None, consistent=False):
    """Wrap a model in a `Separator`, unless it is one.

    The model keeps it for the next call, for as long as the model itself is kept: one would be
    traced anew each time, which takes longer than a short recording.

    Args:
        model: a model of the zoo, or a `Separator`.
        wiener_iterations: see `Separator`.
        residual: see `Separator`.
        consistent: see `Separator`.

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
    # Not as an attribute, which Keras would take for a part of the model.
    kept = vars(model).setdefault("__separators", {})
    settings = (wiener_iterations, residual, consistent)
    if settings not in kept:
        kept[settings] = Separator(model, *settings)
    return kept[settings]
