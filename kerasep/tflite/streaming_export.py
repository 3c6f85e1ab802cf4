"""The mode "streaming": a causal model as a step, from a block and a state to sources and state."""

import dataclasses

import keras
import numpy as np

from kerasep.streaming.buffering import Buffer
from kerasep.streaming.step import StreamingStep
from kerasep.tflite.plan import Plan
from kerasep.tflite.stream_runtime import stream_run


def streaming(separator, seconds):
    """Plan a file with the signatures "reset", "step" and "step1".

    "reset" gives "state" `(1, size)`, with which a stream starts. "step" takes "mixture"
    `(1, step, channels)` and "state", and gives "sources" `(1, step, channels, sources)` and
    "state"; "step1" does the same for `hop` samples. All are float32.

    Args:
        separator: a `kerasep.Separator` of a causal model.
        seconds: has no meaning here: what the file takes follows from the model.

    Returns:
        A `Plan`.

    Raises:
        InputError: for a model that cannot stream, naming the layer that keeps it from it.
    """
    step = StreamingStep(separator)
    timing, channels, size = step.timing, separator.channels, step.start.shape[1]

    def reset():
        return {"state": keras.ops.convert_to_tensor(step.start)}

    def function(mixture, state):
        sources, state = step(mixture, state)
        return {"sources": sources, "state": state}

    def shapes(samples):
        return {"mixture": (1, samples, channels), "state": (1, size)}

    def received(run, waveform):
        buffer = Buffer(
            stream_run(run, timing), step.start, timing, channels, len(separator.sources)
        )
        # Both steps are tried: the larger one, and what is left for the smaller.
        parts = [buffer.process(part) for part in np.split(waveform[0], [timing.step + 1])]
        return np.concatenate([*parts, buffer.flush()])[None]

    return Plan(
        step,
        {
            "reset": (reset, {}),
            "step": (function, shapes(timing.step)),
            "step1": (function, shapes(timing.grain)),
        },
        timing.skip + 3 * timing.step + timing.grain + 1,
        {
            "chunk": None,
            "overlap": None,
            "state": size,
            "latency": timing.latency,
            "hop": timing.grain,
            "step": timing.step,
            "lead": timing.lead,
            "skip": timing.skip,
            "timing": dataclasses.asdict(timing),
        },
        expected=lambda waveform: np.asarray(separator(waveform, training=False)),
        received=received,
    )
