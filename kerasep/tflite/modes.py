"""The content of a file in each export mode, and how it is compared with Keras."""

import dataclasses
import math
from collections.abc import Callable

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError
from kerasep.streaming.buffering import Buffer
from kerasep.streaming.step import StreamingStep
from kerasep.tflite.stream_runtime import stream_run


@dataclasses.dataclass(frozen=True)
class Plan:
    """The contents of a file, and how to run it beside Keras."""

    model: keras.Model  # owns the weights; its layers take their export forms
    signatures: dict  # as `kerasep.tflite.conversion.convert` takes them
    samples: int  # length of the waveforms that the file is compared on
    metadata: dict  # what is particular to the mode
    expected: Callable  # waveform (1, samples, channels) -> result of Keras, sources last
    received: Callable  # Interpreter, waveform -> result of the file, sources last
    # result, waveform -> source waveforms (1, samples, channels, sources)
    waveforms: Callable = lambda result, waveform: result


def separate(separator, seconds):
    """Plan the signature "separate": from the mixture's waveform to those of the sources."""
    stft = getattr(getattr(separator, "model", separator), "stft", None)
    samples = whole_hops(seconds, separator.sample_rate, stft)

    def function(mixture):
        return {"sources": separator(mixture, training=False)}

    return Plan(
        separator,
        {"separate": (function, {"mixture": (1, samples, separator.channels)})},
        samples,
        {"chunk": samples, "overlap": good_overlap(samples, stft)},
        expected=lambda waveform: np.asarray(separator(waveform, training=False)),
        received=lambda run, waveform: run("separate", mixture=waveform)["sources"],
    )


def mask(separator, seconds):
    """Plan the signature "mask": a spectrogram network alone, from magnitude to estimates."""
    model = getattr(separator, "model", separator)
    stft = getattr(model, "stft", None)
    if stft is None:
        raise InputError(
            f"received mode='mask' for {model.name}, which takes waveforms, expected a "
            f"spectrogram model: choose mode='separate'"
        )
    if separator.wiener_iterations or separator.residual or separator.consistent:
        raise InputError(
            "received a Wiener filter, a residual or consistent sources with mode='mask', which "
            "exports the network alone: leave them out, or choose mode='separate'"
        )
    samples = whole_hops(seconds, model.sample_rate, stft)

    def magnitude(waveform):
        return np.asarray(ops.magnitude(ops.stft(waveform, **stft)))

    def waveforms(estimates, waveform):
        spectra = ops.mixture_phase(ops.stft(waveform, **stft), estimates)
        sources = [
            ops.istft(spectra[..., index, :], **stft, length=samples)
            for index in range(len(model.sources))
        ]
        return np.stack(sources, axis=-1)

    shape = magnitude(np.zeros((1, samples, model.channels), "float32")).shape
    mixture = keras.Input(batch_shape=shape)
    # What a model computes outside its own graph, such as clustering, becomes layers here, which
    # can take their export forms.
    network = keras.Model(mixture, model.estimate(mixture))

    def function(magnitude):
        return {"estimates": network(magnitude, training=False)}

    return Plan(
        network,
        {"mask": (function, {"magnitude": shape})},
        samples,
        {"chunk": samples, "overlap": good_overlap(samples, stft), "frames": shape[1]},
        expected=lambda waveform: np.asarray(network(magnitude(waveform), training=False)),
        received=lambda run, waveform: run("mask", magnitude=magnitude(waveform))["estimates"],
        waveforms=waveforms,
    )


def streaming(separator, seconds):
    """Plan the signatures "reset", "step" and "step1": a causal model, one block at a time."""
    # The length is not used: block sizes follow from the model.
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
        # Cut so that both steps run: the larger one, and the smaller one for the rest.
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


# mode -> function of a separator and seconds that returns a `Plan`
MODES = {"separate": separate, "mask": mask, "streaming": streaming}


def whole_hops(seconds, sample_rate, stft):
    """Return a duration in samples, rounded up to whole hops and at least one frame."""
    hop, least = (stft["hop"], stft["n_fft"]) if stft else (1, 1)
    samples = math.ceil(seconds * sample_rate / hop - 1e-9) * hop
    if samples < least:
        raise InputError(
            f"received seconds={seconds}, expected at least {least / sample_rate:.3f}: one frame "
            f"of the transform"
        )
    return samples


def good_overlap(samples, stft):
    """Return an overlap of a quarter of a chunk or four frames, and of half a chunk at most."""
    # Its outer quarters, which are dropped, then hold the frames that reach beyond the chunk.
    hop = stft["hop"] if stft else 1
    overlap = max(samples // 4, 4 * stft["n_fft"] if stft else 0)
    return min(math.ceil(overlap / hop), samples // 2 // hop) * hop
