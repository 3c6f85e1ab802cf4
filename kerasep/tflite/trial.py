"""An exported file beside the Keras model, before it is written."""

import keras
import numpy as np

from kerasep.layers import KMeans
from kerasep.metrics import scores
from kerasep.separation.chunks import best_order
from kerasep.tflite import parity
from kerasep.tflite.conversion import ExportError

# In dB. What int8 does to a model is judged by ear and by SI-SDR: it has no gate.
GATES = {None: parity.GATE_DB, "float16": 55.0}
# A graph that is wrong agrees on none; one that is right, on most: each bin is a tie by chance.
_TRIES = 8


def decides(plan):
    """Tell whether a model gives each bin to one source: then rounding may turn a decision over.

    Args:
        plan: the `Plan` of a file.

    Returns:
        Whether k-means is among its layers.
    """
    # Keras has no public walk through the layers inside layers.
    return any(isinstance(layer, KMeans) for layer in plan.model._flatten_layers())


def compare(plan, separator, run, quantization=None):
    """Run a file beside Keras on signals of several kinds.

    Args:
        plan: the `Plan` of the file.
        separator: what was exported: names, rate and channels.
        run: the file's `Interpreter`.
        quantization: of its weights. Default: None, float32.

    Returns:
        The worst ratio in dB of all signals and sources, and the largest difference.

    Raises:
        ExportError: for less agreement than float32 or float16 weights allow, another shape, and
            numbers that are not finite.
    """
    # Weights of fewer bits may turn decisions over on any signal.
    gate = None if quantization and decides(plan) else GATES.get(quantization)
    found = []
    for kind in parity.KINDS:
        for seed in range(_TRIES if gate and decides(plan) else 1):
            waveform = parity.signals(
                plan.samples, separator.channels, separator.sample_rate, seed
            )[kind]
            ratio, largest, source = _agreement(plan, separator, run, waveform, kind)
            if gate is None or ratio >= gate:
                found.append((ratio, largest))
                break
        else:
            where = parity.first_departure(
                plan.model, lambda waveform=waveform: plan.expected(waveform)
            )
            raise ExportError(
                f"received a model whose TFLite form differs from Keras: {source} agrees to "
                f"{ratio:.1f} dB on {kind}, expected {gate:.0f} dB; {where}"
            )
    ratios, errors = zip(*found, strict=True)
    return min(ratios), max(errors)


def _agreement(plan, separator, run, waveform, kind):
    """Compare one signal; return the worst ratio in dB of all sources, largest error and source."""
    expected, received = plan.expected(waveform), plan.received(run, waveform)
    if received.shape != expected.shape:
        raise ExportError(
            f"received a model whose output is {expected.shape} in Keras and {received.shape} "
            f"in TFLite, expected them equal"
        )
    if not np.isfinite(received).all():
        raise ExportError(
            f"received a model whose TFLite form gives numbers that are not finite on {kind}, "
            f"expected none: check that no weight is NaN"
        )
    found = [
        (*parity.agreement(expected[..., index], received[..., index]), source)
        for index, source in enumerate(separator.sources)
    ]
    ratio, _, source = min(found)
    return ratio, max(error for _, error, _ in found), source


def si_sdr_change(plan, separator, run, clips):
    """Find out what a file loses on recordings whose sources are known.

    Args:
        plan: the `Plan` of the file.
        separator: what was exported.
        run: the file's `Interpreter`.
        clips: list of pairs: mixture `(samples, channels)`, sources `(samples, channels, sources)`.

    Returns:
        SI-SDR of the file less that of Keras in dB, the mean over clips and sources with sound;
        NaN where none has.
    """
    changes = []
    for mixture, truth in clips:
        waveform = mixture[None]
        both = plan.expected(waveform), plan.received(run, waveform)
        ours, theirs = (
            _scores(
                truth, keras.ops.convert_to_numpy(plan.waveforms(result, waveform))[0], separator
            )
            for result in both
        )
        changes += [b - a for a, b in zip(ours, theirs, strict=True)]
    return float(np.mean(changes)) if changes else float("nan")


def _scores(truth, estimates, separator):
    if getattr(separator, "interchangeable", False):
        estimates = estimates[..., best_order(truth, estimates)]
    return [
        scores(truth[..., index], estimates[..., index], ["si_sdr"])["si_sdr"]
        for index in range(truth.shape[-1])
        if truth[..., index].any()
    ]
