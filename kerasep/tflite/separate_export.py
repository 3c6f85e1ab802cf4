"""The mode "separate": from a waveform to the sources' waveforms, the transforms inside."""

import numpy as np

from kerasep.tflite.plan import Plan, good_overlap, whole_hops


def separate(separator, seconds):
    """Plan a file with the signature "separate".

    It takes "mixture" `(1, samples, channels)` and gives "sources"
    `(1, samples, channels, sources)`.

    Args:
        separator: a `kerasep.Separator`, or another model from waveform to waveforms.
        seconds: length of the waveform that the file takes, rounded up to whole hops.

    Returns:
        A `Plan`.

    Raises:
        InputError: for a length too short for the model.
    """
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
