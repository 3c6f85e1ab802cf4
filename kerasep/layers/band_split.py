"""Layer: features of each band of a spectrum."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.axial_transformer import EPSILON
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class BandSplit(Arguments, keras.layers.Layer):
    """Project each band of a complex spectrum to the same number of features.

    The real and imaginary parts of a band's bins and channels are normalised by their root mean
    square in each frame, and pass a dense layer of the band's own. So the level of a band is lost.
    `BandMasks` goes the opposite way.

    Args:
        bands: first bin of each band, and the bin after its last. Bands may overlap.
        features: number of features per band. Defaults to 384.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Spectrum `(batch, frames, bins, channels, 2)`.

    Output shape:
        `(batch, frames, bands, features)`.

    Raises:
        InputError: for bands that are empty or out of order, or exceed the spectrum.

    Example:
    >>> import numpy as np
    >>> layer = BandSplit([(0, 5), (5, 20), (15, 33)], features=8)
    >>> tuple(layer(np.zeros((1, 7, 33, 2, 2), "float32")).shape)
    (1, 7, 3, 8)

    Reference:
        Luo and Yu 2023, "Music source separation with band-split RNN".
    """

    def __init__(self, bands: Sequence[Sequence[int]], features: int = 384, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # the norms see the spectrum in float32
        self.bands = check_bands(bands)
        if features < 1:
            raise InputError(f"received features={features}, expected at least 1")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create a norm and a dense layer for each band."""
        _, _, bins, channels, parts = input_shape
        if bins < (needed := max(stop for _, stop in self.bands)):
            raise InputError(f"received a spectrum of {bins} bins for bands up to bin {needed}")
        self.norms, self.projections = [], []
        for index, (start, stop) in enumerate(self.bands):
            shape = (None, None, (stop - start) * channels * parts)
            norm = keras.layers.RMSNormalization(
                epsilon=EPSILON, name=f"norm_{index}", dtype="float32"
            )
            norm.build(shape)
            dense = keras.layers.Dense(
                self.features, name=f"dense_{index}", dtype=self.dtype_policy
            )
            dense.build(shape)
            self.norms.append(norm)
            self.projections.append(dense)

    def call(self, spectrum: Tensor) -> Tensor:
        """Split `(batch, frames, bins, channels, 2)`."""
        batch, frames, bins, channels, parts = keras.ops.shape(spectrum)
        size = channels * parts
        x = keras.ops.cast(spectrum, "float32")
        x = keras.ops.reshape(x, (batch, frames, bins * size))
        bands = zip(self.bands, self.norms, self.projections, strict=True)
        features = [
            dense(norm(x[..., start * size : stop * size])) for (start, stop), norm, dense in bands
        ]
        return keras.ops.stack(features, axis=2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the features."""
        return (*input_shape[:2], len(self.bands), self.features)


def check_bands(bands):
    """Validate bands; return them as a tuple of pairs."""
    bands = tuple(tuple(band) for band in bands)
    pairs = bool(bands) and all(len(band) == 2 and 0 <= band[0] < band[1] for band in bands)
    if not pairs or list(bands) != sorted(bands):
        raise InputError(
            f"received bands={bands}, expected pairs (first bin, bin after the last) in order"
        )
    return bands
