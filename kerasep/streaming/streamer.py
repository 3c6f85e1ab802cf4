"""Stream a causal Keras model: blocks of any size in, sources out."""

import keras
import numpy as np

from kerasep.streaming.buffering import Buffer
from kerasep.streaming.step import StreamingStep


class Streamer(Buffer):
    """A causal model as a stream. Its output equals the model's output for the whole recording.

    Blocks may have any size. The output is late by at most `latency` samples. The state is kept in
    explicit tensors: the model is not changed, and several streams may share it.

    Args:
        model: A causal model of the zoo, or a `kerasep.Separator` of one.

    Attributes:
        sources: Tuple of names, in the order of the last axis.
        channels: Channels of the mixture.
        latency: After n samples of input, at least n - latency samples of output are ready.
        hop: Samples of the smallest step.
        sample_rate: In Hz.

    Raises:
        InputError: The model cannot stream. The message names the layer that prevents it.

    Example:
    ```python
    import numpy as np
    import kerasep
    from kerasep.streaming import Streamer

    model = kerasep.zoo.load("open_unmix_like/causal", sources=["vocals"], hidden=16)
    streamer = Streamer(model)
    ready = [streamer.process(np.zeros((n, 2), "float32")) for n in (4000, 100, 5000)]
    ready.append(streamer.flush())
    assert sum(map(len, ready)) == 9100
    ```
    """

    def __init__(self, model: keras.Model):
        step = StreamingStep(model)
        timing, separator = step.timing, step.separator
        models = {}
        for samples in {timing.grain, timing.step}:
            mixture = keras.Input(batch_shape=(1, samples, separator.channels), name="mixture")
            state = keras.Input(batch_shape=step.start.shape, name="state")
            models[samples] = keras.Model([mixture, state], step(mixture, state))

        def run(block, state):
            return models[block.shape[1]].predict_on_batch([block, state])

        super().__init__(run, step.start, timing, separator.channels, len(separator.sources))
        self.sources = separator.sources
        self.sample_rate = separator.sample_rate
        self.latency = timing.latency
        self.hop = timing.grain

    def warm_up(self) -> None:
        """Run each step once, so that no block has to wait for compilation."""
        for samples in (self.timing.grain, self.timing.step):
            self.run(np.zeros((1, samples, self.channels), "float32"), self.start)
