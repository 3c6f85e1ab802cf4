"""Stream with an exported file; needs only NumPy and ai-edge-litert."""

import os

from kerasep.errors import InputError
from kerasep.streaming.buffering import LEFT, Buffer, Timing
from kerasep.tflite.format.metadata import expect_complete, parse_metadata, read_model
from kerasep.tflite.interpreter import Interpreter


def stream_run(interpreter, timing):
    """Return a function from a block and a state to sources and state, for a `Buffer` to run."""
    names = {timing.grain: "step1", timing.step: "step"}

    def run(block, state):
        result = interpreter(names[block.shape[1]], mixture=block, state=state)
        return interpreter.finite(result["sources"]), result["state"]

    return run


def _start(interpreter, timing, about):
    """Validate the tensors, and return the initial state."""
    interpreter.expect("reset", {}, {"state": (1, None)})
    start = interpreter("reset")["state"]
    if start.size <= LEFT:
        raise InputError(f"received {interpreter.name}, whose state is too small: export again")
    for signature, samples in (("step", timing.step), ("step1", timing.grain)):
        mixture = (1, samples, about["channels"])
        interpreter.expect(
            signature,
            {"mixture": mixture, "state": start.shape},
            {"sources": (*mixture, len(about["sources"])), "state": start.shape},
        )
    return interpreter.finite(start)


class StreamRuntime(Buffer):
    """A `.tflite` file of mode "streaming", frame by frame; no TensorFlow needed.

    It works as `kerasep.streaming.Streamer`: blocks of any size go in, and the output is late by
    `latency` at most. It is one stream: open the file once per stream.

    Args:
        path: the file.
        threads: number of threads. Defaults to 1: steps are too short to share.

    Attributes:
        sources: tuple of names, in the order of the last axis.
        sample_rate: in Hz.
        channels: channels of the mixture.
        latency: after n samples of input, at least n - latency samples of output are ready.
        hop: samples of the smallest step.
        metadata: dict, as `read_metadata` returns it.

    Raises:
        InputError: if the file is missing, damaged, not from kerasep, of another mode, or its
            tensors contradict its metadata.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/causal", sources=["vocals"], hidden=16)
    kerasep.tflite.export(model, "live.tflite", mode="streaming", overwrite=True)
    runtime = kerasep.tflite.StreamRuntime("live.tflite")
    ready = [runtime.process(np.zeros((n, 2), "float32")) for n in (4000, 100, 5000)]
    ready.append(runtime.flush())
    assert sum(map(len, ready)) == 9100
    ```
    """

    def __init__(self, path: str | os.PathLike, threads: int = 1):
        content = read_model(path)
        self.metadata = about = parse_metadata(content, path)
        if about["mode"] != "streaming":
            raise InputError(
                f"received {path}, a file of mode {about['mode']}, expected one of mode streaming: "
                f"export with mode='streaming', or use kerasep.tflite.Runtime"
            )
        expect_complete(about, path)
        timing = Timing(**{field: about["timing"][field] for field in Timing.__dataclass_fields__})
        interpreter = Interpreter(content, threads, path)
        start = _start(interpreter, timing, about)
        run = stream_run(interpreter, timing)
        super().__init__(run, start, timing, about["channels"], len(about["sources"]))
        self.sources = tuple(about["sources"])
        self.sample_rate = about["sample_rate"]
        self.latency = about["latency"]
        self.hop = about["hop"]
