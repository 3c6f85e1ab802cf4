"""One step of a causal model as a pure function: block and state in, sources and state out."""

import math

import keras
import numpy as np

from kerasep.layers import DualPathNet
from kerasep.separation.separator import as_separator
from kerasep.streaming.buffering import Timing
from kerasep.streaming.filterbanks import frame_length
from kerasep.streaming.forms import ANALYSES, FORMS
from kerasep.streaming.walk import COUNTERS, ENDLESS, Signal, Walk, raise_cannot_stream
from kerasep.system.keras_private import flatten_layers
from kerasep.system.types import Tensor

# A large step takes at least this many hops and seconds.
_LARGE_HOPS = 4
_LARGE_SECONDS = 0.02
_NOISE_LEVEL = 0.1


class StreamingStep(keras.layers.Layer):
    """One step of a causal model: `(mixture, state) -> (sources, state)`, without internal state.

    It uses the model's own layers and weights. The state is one flat tensor. Its first two numbers
    are the frames so far (negative while the stream starts with silence that is not a frame) and
    the frames still to come (1e30 until the end is known). The rest is in the order of the model's
    layers. `kerasep.streaming.buffering` cuts a stream into steps.

    Args:
        model: A causal model of the zoo, or a `kerasep.Separator` of one.
        name: Name of the layer.

    Call arguments:
        mixture: `(1, n * hop, channels)`, the next block.
        state: `(1, size)`, from the previous step, or `start` for the first one.

    Output shape:
        Sources `(1, n * hop, channels, sources)`, `timing.skip` samples late, and the state.

    Attributes:
        start: State before the first step, float32 array `(1, size)`.
        timing: A `kerasep.streaming.buffering.Timing`.

    Raises:
        InputError: The model cannot stream. The message names the layer that prevents it.

    Example:
    ```python
    import numpy as np
    import kerasep
    from kerasep.streaming import StreamingStep

    model = kerasep.zoo.load("open_unmix_like/causal", sources=["vocals"], hidden=16)
    step = StreamingStep(model)
    sources, state = step(np.zeros((1, 1024, 2), "float32"), step.start)
    assert tuple(sources.shape) == (1, 1024, 2, 1)
    ```
    """

    def __init__(self, model: keras.Model, name: str = "streaming_step"):
        super().__init__(name=name, dtype="float32")
        self.separator = as_separator(model)
        self.twins: dict[int, keras.layers.Layer] = {}
        inner = [*flatten_layers(self.separator)]
        analysis = next((layer for layer in inner if isinstance(layer, ANALYSES)), None)
        if analysis is None:
            raise_cannot_stream(
                self.separator, "has no transform or learned filterbank that cuts frames"
            )
        # One row of the analysis holds several samples, with all their channels.
        columns = self.separator.channels // analysis.input.shape[-1]
        self.hop = analysis.hop // columns
        grain = math.lcm(*(layer.hop for layer in inner if isinstance(layer, DualPathNet)))
        seconds = grain * self.hop / self.separator.sample_rate
        large = max(_LARGE_HOPS, math.ceil(_LARGE_SECONDS / seconds))

        # A trial on noise, of two grains, so that the halves can be compared with the whole.
        shape = (1, 2 * grain * self.hop, self.separator.channels)
        noise = _NOISE_LEVEL * np.random.default_rng(0).standard_normal(shape).astype("float32")
        sources, state, walk = self._walk(keras.ops.convert_to_tensor(noise), None)
        if walk.before % self.hop:
            raise_cannot_stream(
                analysis, "sees silence in front that is not a whole number of hops"
            )
        self.timing = Timing(
            hop=self.hop,
            # Counted from the first frame that begins with the stream: those before it are known.
            frame=frame_length(analysis) // columns - walk.before,
            grain=grain * self.hop,
            step=large * grain * self.hop,
            lag=sources.lag * self.hop,
            silence=walk.align * self.hop,
            ends="fill" if walk.before else _ends(analysis),
        )
        self.start = np.zeros(tuple(state.shape), "float32")
        self.start[0, :COUNTERS] = walk.before // self.hop - walk.align, ENDLESS
        self.built = True

    def call(self, mixture: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sources of a block, and the state after it."""
        sources, state, _ = self._walk(mixture, state)
        return sources.tensor, state

    def compute_output_shape(self, mixture_shape: tuple, state_shape: tuple) -> tuple[tuple, tuple]:
        """Return the shapes of the sources and the state, which spares a symbolic call."""
        return (*mixture_shape, len(self.separator.sources)), state_shape

    def _walk(self, mixture, state):
        walk = Walk(FORMS, mixture.shape[1] // self.hop, state, self.twins)
        sources = walk.run(self.separator, Signal(mixture, 0))
        return sources, walk.new_state(), walk


def _ends(analysis):
    """Return how the ends of a stream are treated: see `Timing`."""
    if getattr(analysis, "center", False):
        return "mirror"
    return "fill" if getattr(analysis, "fill", True) else "drop"
