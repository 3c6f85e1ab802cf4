"""The mode "mask": the network alone, for an app that has its own transform."""

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError
from kerasep.tflite.plan import Plan, good_overlap, whole_hops


def mask(separator, seconds):
    """Plan a file with the signature "mask".

    It takes "magnitude" `(1, frames, bins, channels)`, the mixture's, and gives "estimates"
    `(1, frames, bins, channels, sources)`, the sources': divided by the mixture's they are masks.

    Args:
        separator: a `kerasep.Separator` of a spectrogram model, as it is by default.
        seconds: length of the waveform whose frames the file takes, rounded up to whole hops.

    Returns:
        A `Plan`.

    Raises:
        InputError: for a waveform model, for a separator that does more than its network, and for
            a length too short for the model.
    """
    model = getattr(separator, "model", separator)
    stft = getattr(model, "stft", None)
    if stft is None:
        raise InputError(
            f"received mode='mask' for {model.name}, which takes waveforms: a mask is a "
            f"spectrogram model's, so choose mode='separate'"
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
    # What a model does beside its own graph, such as clustering, becomes layers that are found.
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
