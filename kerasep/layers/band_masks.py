"""Layer: a complex mask from the features of bands."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.layers.band_split import check_bands
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class BandMasks(Arguments, keras.layers.Layer):
    """Estimate a complex mask from the features of each band.

    Each band has a network of its own: dense layers with tanh, and a last one with a gated linear
    unit. Where bands overlap, their masks are averaged; a bin in no band gets 0.

    Args:
        bands: as for `BandSplit`. The mask has as many bins as the last band reaches.
        channels: number of channels of the mask. Defaults to 2.
        hidden: features of a hidden layer. Defaults to 1536.
        hidden_layers: number of hidden layers. Defaults to 1.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, features)`.

    Output shape:
        Mask `(batch, frames, bins, channels, 2)`, float32; the last axis is (real, imaginary).

    Raises:
        InputError: for bands that are empty or out of order, or sizes below 1.

    Example:
    >>> import numpy as np
    >>> layer = BandMasks([(0, 5), (5, 20), (15, 33)], hidden=16)
    >>> tuple(layer(np.zeros((1, 7, 3, 8), "float32")).shape)
    (1, 7, 33, 2, 2)

    Reference:
        Lu et al. 2023, "Music source separation with band-split RoPE transformer". Wang, Lu and Won
        2023, "Mel-band RoFormer for music source separation" (overlapping bands).
    """

    def __init__(
        self,
        bands: Sequence[Sequence[int]],
        channels: int = 2,
        hidden: int = 1536,
        hidden_layers: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bands = check_bands(bands)
        if min(channels, hidden, hidden_layers) < 1:
            raise InputError(
                f"received channels={channels}, hidden={hidden}, hidden_layers={hidden_layers}, "
                f"expected at least 1 of each"
            )
        self.bins = max(stop for _, stop in self.bands)
        counts = np.zeros(self.bins, "float32")
        for start, stop in self.bands:
            counts[start:stop] += 1
        self.weights_of_bins = 1 / np.repeat(np.maximum(counts, 1), 2 * channels)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the dense layers of each band."""
        self.networks = []
        for index, (start, stop) in enumerate(self.bands):
            # The last layer has the values and the gates of the gated linear unit.
            sizes = [self.hidden] * self.hidden_layers + [4 * (stop - start) * self.channels]
            inputs, network = input_shape[-1], []
            for number, size in enumerate(sizes):
                dense = keras.layers.Dense(
                    size,
                    activation="tanh" if number < self.hidden_layers else None,
                    name=f"dense_{index}_{number}",
                    dtype=self.dtype_policy,
                )
                dense.build((None, None, inputs))
                network.append(dense)
                inputs = size
            self.networks.append(network)

    def call(self, x: Tensor) -> Tensor:
        """Compute the mask from `(batch, frames, bands, features)`."""
        masks = [self._mask(network, x[:, :, i]) for i, network in enumerate(self.networks)]
        mask = sum(self._side_by_side(masks, row) for row in _disjoint(self.bands))
        if (self.weights_of_bins != 1).any():
            mask = keras.ops.multiply(mask, self.weights_of_bins)
        batch, frames, _, _ = keras.ops.shape(x)
        return keras.ops.reshape(mask, (batch, frames, self.bins, self.channels, 2))

    def _mask(self, network, x):
        for dense in network:
            x = dense(x)
        values, gates = keras.ops.split(x, 2, axis=-1)
        return keras.ops.cast(values * keras.ops.sigmoid(gates), "float32")

    def _side_by_side(self, masks, row):
        """Join the masks of bands that do not overlap, with zeros between them."""
        size = 2 * self.channels
        parts, reached = [], 0
        for index in row:
            start, stop = self.bands[index]
            before = (start - reached) * size
            after = (self.bins - stop) * size if index == row[-1] else 0
            part = masks[index]
            if before or after:
                part = keras.ops.pad(part, [[0, 0], [0, 0], [before, after]])
            parts.append(part)
            reached = stop
        return keras.ops.concatenate(parts, axis=-1)

    def compute_output_spec(self, x: Tensor) -> keras.KerasTensor:
        """Return the shape of the mask."""
        return keras.KerasTensor((*x.shape[:2], self.bins, self.channels, 2), dtype="float32")


def _disjoint(bands):
    """Divide the numbers of ordered bands into rows without overlap."""
    rows = []
    for index, (start, _) in enumerate(bands):
        row = next((row for row in rows if bands[row[-1]][1] <= start), None)
        if row is None:
            rows.append([index])
        else:
            row.append(index)
    return rows
