"""One step of a causal model as a pure function: a block and a state in, sources and state out."""

import math

import keras
import numpy as np

from kerasep.layers import DualPathNet
from kerasep.separation.separator import as_separator
from kerasep.streaming.buffering import Timing
from kerasep.streaming.filterbanks import frame_length
from kerasep.streaming.forms import ANALYSES, FORMS
from kerasep.streaming.walk import COUNTERS, ENDLESS, Signal, Walk, refuse

_SECONDS = 0.02  # that a large step takes at least, where hops are short
_HOPS = 4
_LEVEL = 0.1


class StreamingStep(keras.layers.Layer):
    """One step of a causal model: `(mixture, state) -> (sources, state)`, with no state of its own.

    It is made of the model's own layers and weights. The state is one flat tensor; what it holds is
    in the order of the model's layers, but for its first two numbers: how many frames there were
    (negative where the stream starts with silence that is no frame), and how many are to come (1e30
    until the end is known). `kerasep.streaming.buffering` does the rest.

    Args:
        model: a causal model of the zoo, or a `kerasep.Separator` of one.
        name: name of the layer.

    Call arguments:
        mixture: `(1, n * hop, channels)`, the next block.
        state: `(1, size)`, from the step before; `start` for the first one.

    Output shape:
        Sources `(1, n * hop, channels, sources)`, `timing.skip` samples late, and the state.

    Attributes:
        start: state before the first step, float32 array `(1, size)`.
        timing: a `kerasep.streaming.buffering.Timing`.

    Raises:
        InputError: for a model that cannot stream, naming the layer that keeps it from it.

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

    def __init__(self, model, name="streaming_step"):
        super().__init__(name=name, dtype="float32")
        self.separator = as_separator(model)
        self.twins = {}
        inner = [*self.separator._flatten_layers()]
        analysis = next((layer for layer in inner if isinstance(layer, ANALYSES)), None)
        if analysis is None:
            refuse(self.separator, "has no transform or learned filterbank that cuts frames")
        # A row of samples holds the channels of each.
        columns = self.separator.channels // analysis.input.shape[-1]
        self.hop = analysis.hop // columns
        grain = math.lcm(*(layer.hop for layer in inner if isinstance(layer, DualPathNet)))
        seconds = grain * self.hop / self.separator.sample_rate
        large = max(_HOPS, math.ceil(_SECONDS / seconds))

        # A pilot, on noise and twice the frames, so that each half can be compared.
        shape = (1, 2 * grain * self.hop, self.separator.channels)
        noise = _LEVEL * np.random.default_rng(0).standard_normal(shape).astype("float32")
        sources, state, walk = self._walk(keras.ops.convert_to_tensor(noise), None)
        self.timing = Timing(
            hop=self.hop,
            frame=frame_length(analysis) // columns,
            grain=grain * self.hop,
            step=large * grain * self.hop,
            lag=sources.lag * self.hop,
            silence=walk.align * self.hop,
            ends=_ends(analysis),
        )
        self.start = np.zeros(tuple(state.shape), "float32")
        self.start[0, :COUNTERS] = -walk.align, ENDLESS
        self.built = True

    def call(self, mixture, state):
        """Sources of a block, and the state after it."""
        sources, state, _ = self._walk(mixture, state)
        return sources.tensor, state

    def _walk(self, mixture, state):
        walk = Walk(FORMS, mixture.shape[1] // self.hop, state, self.twins)
        sources = walk.run(self.separator, Signal(mixture, 0))
        return sources, walk.new_state(), walk


def _ends(analysis):
    """What becomes of a stream's ends: see `Timing`."""
    if hasattr(analysis, "center"):
        return "mirror" if analysis.center else "drop"
    return "fill" if getattr(analysis, "fill", True) else "drop"
