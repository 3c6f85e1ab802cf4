"""An exported file beside the Keras model, before it is written: agreement in dB."""

import numpy as np

from kerasep.layers import KMeans
from kerasep.system.keras_private import flatten_layers
from kerasep.tflite.conversion import ExportError
from kerasep.tflite.forms.registry import export_forms

GATE_DB = 100.0
# With rounded weights 50 to 70 dB are left, of a wrong graph less than 20. The effect of int8 on a
# model is judged by ear and by SI-SDR: it has no gate.
GATES = {None: GATE_DB, "float16": 40.0}
KINDS = ("music", "noise")
# A wrong graph agrees on no signal; a right one on most, since each bin is a tie by chance.
_TRIES = 8
_SILENT = 1e-6  # of full scale: -120 dB


def signals(samples, channels, sample_rate, seed=0):
    """Generate test waveforms `(1, samples, channels)` by kind: decaying notes, and noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples)[:, None] / sample_rate
    music = 0.005 * rng.standard_normal((samples, channels))
    for onset in np.arange(0, samples / sample_rate, 0.25):
        since = np.maximum(time - onset, 0)
        envelope = np.where(time < onset, 0, np.exp(-4 * since))
        pitch = rng.uniform(80, 600)
        pan = rng.uniform(0.2, 1, channels)
        for overtone in range(1, 8):
            if overtone * pitch < sample_rate / 2:
                wave = np.sin(2 * np.pi * overtone * pitch * since + rng.uniform(0, 6))
                music += 0.15 / overtone * envelope * pan * wave
    noise = 0.1 * rng.standard_normal((samples, channels))
    return {
        kind: np.clip(wave, -1, 1).astype("float32")[None]
        for kind, wave in zip(KINDS, (music, noise), strict=True)
    }


def agreement(expected, received):
    """Compute the signal-to-noise ratio of an array in dB, and its largest absolute error."""
    # Infinite if both are equal or silent to -120 dB; NaN if a received number is not finite.
    expected = np.asarray(expected, "float64")
    received = np.asarray(received, "float64")
    if not np.isfinite(received).all():
        return float("nan"), float("nan")
    error = received - expected
    largest = float(np.abs(error).max(initial=0.0))
    power, noise = np.square(expected).sum(), np.square(error).sum()
    silent = np.abs(expected).max(initial=0.0) < _SILENT
    if noise == 0 or (silent and largest < _SILENT):
        return float("inf"), largest
    return float(10 * np.log10(max(power, 1e-300) / noise)), largest


def decides(plan):
    """Return whether k-means assigns each bin to one source: rounding may change an assignment."""
    return any(isinstance(layer, KMeans) for layer in flatten_layers(plan.model))


def compare(plan, separator, run, quantization=None):
    """Run a file beside Keras; return the lowest ratio in dB and the largest error."""
    # Weights of fewer bits may change assignments of bins on any signal.
    gate = None if quantization and decides(plan) else GATES.get(quantization)
    results = []
    for kind in KINDS:
        for seed in range(_TRIES if gate and decides(plan) else 1):
            waveform = signals(plan.samples, separator.channels, separator.sample_rate, seed)[kind]
            ratio, largest, source = _worst_source(plan, separator, run, waveform, kind)
            if gate is None or ratio >= gate:
                results.append((ratio, largest))
                break
        else:
            raise ExportError(
                f"received a model whose TFLite form differs from Keras: {source} agrees to "
                f"{ratio:.1f} dB on {kind}, expected {gate:.0f} dB; "
                f"{_first_departure(plan, waveform)}"
            )
    ratios, errors = zip(*results, strict=True)
    return min(ratios), max(errors)


def _worst_source(plan, separator, run, waveform, kind):
    """Return the lowest ratio in dB of all sources, the largest error, and the source's name."""
    expected, received = plan.expected(waveform), plan.received(run, waveform)
    if received.shape != expected.shape:
        raise ExportError(
            f"received a model whose output is {expected.shape} in Keras and {received.shape} "
            f"in TFLite, expected them equal"
        )
    if not np.isfinite(received).all():
        raise ExportError(
            f"received a model whose TFLite form computes NaN or infinite values on {kind}, "
            f"expected finite ones: check the model's weights"
        )
    results = [
        (*agreement(expected[..., index], received[..., index]), source)
        for index, source in enumerate(separator.sources)
    ]
    ratio, _, source = min(results)
    return ratio, max(error for _, error, _ in results), source


def _first_departure(plan, waveform):
    """Return which layer's export form is the first to differ from the layer."""
    departures = []

    def wrap(layer, call, form):
        def compared(*args, **kwargs):
            expected = call(*args, **kwargs)
            ratio, _ = agreement(expected, form(*args, **kwargs))
            if not ratio >= GATE_DB:
                departures.append(f"{type(layer).__name__} {layer.name}, {ratio:.1f} dB")
            return expected

        return compared

    with export_forms(plan.model, wrap):
        plan.expected(waveform)
    if departures:
        return f"the export form of {departures[0]} departs first"
    return "every export form agrees in TensorFlow, so the converted graph departs"
