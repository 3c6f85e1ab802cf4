"""Layer: from features of a filterbank to waveform by learned filters."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class LearnedSynthesis(Arguments, keras.layers.Layer):
    """Compute waveforms from the features of any filterbank: the decoder of TasNet.

    A transposed convolution without bias, computed as a matrix product and an overlap-add, in
    float32 under any policy; see `kerasep.ops.synthesis`. All channels and sources share the
    filters. To start from the inverse of a fixed filterbank, pass
    `keras.initializers.Constant(kerasep.ops.dual_filters(...))`.

    Args:
        kernel_size: length of the filters in samples, as in the analysis.
        hop: samples between frames, as in the analysis. Defaults to half the kernel size.
        initializer: initializer of the filters. Defaults to "glorot_normal".
        window: name of a window that the filters are multiplied by, such as "hann". Defaults to
            None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        features: `(batch, frames, filters, channels)`, or `(batch, frames, filters, channels,
            sources)`; weight `filters` of shape `(filters, kernel_size)`.
        like: a waveform `(batch, samples, ...)` whose length the output gets. Zeros replace the
            samples that an analysis without `fill` left out. Defaults to the length that the
            frames cover.

    Output shape:
        Waveform `(batch, samples, channels)`, or `(batch, samples, channels, sources)`.

    Raises:
        InputError: for a hop beyond the kernel size, or an unknown window.

    Example:
    >>> import numpy as np
    >>> from kerasep.layers import LearnedAnalysis
    >>> x = np.random.randn(1, 1000, 2).astype("float32")
    >>> features = LearnedAnalysis(64, 16, activation="relu")(x)
    >>> tuple(LearnedSynthesis(16)(features, like=x).shape)
    (1, 1000, 2)

    Reference:
        Luo and Mesgarani 2019, "Conv-TasNet: Surpassing ideal time-frequency magnitude masking for
        speech separation", section II.B.
    """

    def __init__(
        self,
        kernel_size: int,
        hop: int | None = None,
        initializer: str | keras.Initializer = "glorot_normal",
        window: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.hop = kernel_size // 2 if hop is None else hop
        ops.check_filterbank(1, kernel_size, self.hop)
        self.initializer = keras.initializers.get(initializer)
        self._window = None if window is None else ops.window(window, kernel_size)

    def build(
        self,
        features_shape: tuple[int | None, ...],
        like_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        """Create the filters."""
        self.filters = self.add_weight(
            shape=(features_shape[2], self.kernel_size),
            initializer=self.initializer,
            name="filters",
        )

    def call(self, features: Tensor, like: Tensor | None = None) -> Tensor:
        """Compute waveforms from `(batch, frames, filters, channels)`, with or without sources."""
        length = None if like is None else keras.ops.shape(like)[1]
        filters = self.filters if self._window is None else self.filters * self._window
        return ops.synthesis(features, filters, self.hop, length)

    def compute_output_shape(
        self,
        features_shape: tuple[int | None, ...],
        like_shape: tuple[int | None, ...] | None = None,
    ) -> tuple[int | None, ...]:
        """Return the shape of the waveforms."""
        batch, frames = features_shape[:2]
        samples = None if frames is None else (frames - 1) * self.hop + self.kernel_size
        if like_shape is not None:
            samples = like_shape[1]
        return (batch, samples, *features_shape[3:])
