"""Streaming with an exported file: NumPy and ai-edge-litert alone."""

from kerasep.errors import InputError
from kerasep.streaming.buffering import LEFT, Buffer, Timing
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.metadata import expect_complete, parse_metadata, read_model


def stream_run(interpreter, timing):
    """Make what a `kerasep.streaming.buffering.Buffer` runs out of a file's two steps.

    Args:
        interpreter: the file's `Interpreter`.
        timing: a `kerasep.streaming.buffering.Timing`.

    Returns:
        Function of a block `(1, samples, channels)` and a state, that returns sources and state.
    """
    names = {timing.grain: "step1", timing.step: "step"}

    def run(block, state):
        result = interpreter(names[block.shape[1]], mixture=block, state=state)
        return interpreter.finite(result["sources"]), result["state"]

    return run


def _start(interpreter, timing, about):
    """Validate the tensors; return the state before the first step."""
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

    As `kerasep.streaming.Streamer`: blocks of any size go in, and what comes out is late by
    `latency` at most. It is one stream: open the file once per stream.

    Args:
        path: the file.
        threads: how many to use. Defaults to 1: steps are too short to share.

    Attributes:
        sources: tuple of names, in the order of the last axis.
        sample_rate: in Hz.
        channels: of the mixture.
        latency: after n samples of input, n - latency and more of output are there.
        hop: samples of the smallest step.
        metadata: all that the file says about itself.

    Raises:
        InputError: for a file that is missing, damaged, not from kerasep, of another mode, or whose
            tensors are not as its metadata says.

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

    def __init__(self, path, threads=1):
        content = read_model(path)
        self.metadata = about = parse_metadata(content, path)
        if about["mode"] != "streaming":
            raise InputError(
                f"received {path}, a file of mode {about['mode']}, expected one of "
                f"mode streaming: export with mode='streaming', or use kerasep.tflite.Runtime"
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
