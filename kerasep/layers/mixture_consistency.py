"""Layer: make estimates sum to the mixture."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class MixtureConsistency(Arguments, keras.layers.Layer):
    """Distribute the residual of the mixture over the estimates, so that they sum to it.

    `s_i + w_i (x - sum_j s_j)`, in float32 under any policy. No weights. Only for models whose
    sources make up the whole mixture: otherwise sound of no source is distributed too.

    Args:
        weighting: "uniform" adds an equal share to every estimate, "power" a share in proportion to
            its power, so that a silent estimate stays silent. Defaults to "uniform".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        estimates: waveforms `(batch, samples, channels, sources)`, or spectra `(batch, frames,
            bins, channels, sources, 2)`.
        mixture: waveform `(batch, samples, channels)`, or spectrum `(batch, frames, bins, channels,
            2)`.

    Output shape:
        Same as the estimates.

    Raises:
        InputError: if the shapes do not match, or for an unknown weighting.

    Example:
    >>> import numpy as np
    >>> estimates = np.random.randn(1, 100, 2, 3).astype("float32")
    >>> mixture = np.random.randn(1, 100, 2).astype("float32")
    >>> consistent = np.asarray(MixtureConsistency("power")(estimates, mixture))
    >>> bool(np.allclose(consistent.sum(axis=-1), mixture, atol=1e-5))
    True

    Reference:
        Wisdom et al. 2019, "Differentiable consistency constraints for improved deep speech
        enhancement".
    """

    def __init__(self, weighting: str = "uniform", **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if weighting not in ("uniform", "power"):
            raise InputError(f"received weighting={weighting!r}, expected uniform or power")

    def call(self, estimates: Tensor, mixture: Tensor) -> Tensor:
        """Project the estimates."""
        return ops.mixture_consistency(estimates, mixture, self.weighting)
