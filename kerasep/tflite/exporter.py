"""Export a model as one file, compared with Keras before it is written."""

import hashlib
import math
import os
from collections.abc import Sequence

import keras
import numpy as np

import kerasep
from kerasep.data import Track
from kerasep.errors import InputError
from kerasep.separation.residual import residual_of
from kerasep.tflite.export_report import ExportReport, checked_path, written
from kerasep.tflite.format.bounds import FORMAT, complaint
from kerasep.tflite.format.graphs import litert_schema
from kerasep.tflite.format.metadata import with_metadata
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.modes import MODES
from kerasep.tflite.quantization import QUANTIZATIONS, quantize_weights, quantizer_names

_SECONDS = 6.0


def export(
    model: keras.Model,
    path: str | os.PathLike,
    *,
    mode: str = "separate",
    seconds: float | None = None,
    quantization: str | None = None,
    consistent: bool | None = None,
    check: bool = True,
    tracks: str | os.PathLike | Sequence[Track] | None = None,
    overwrite: bool = False,
) -> ExportReport:
    """Export a model as one `.tflite` file.

    By default the file maps a waveform to waveforms, with the transforms inside. Its signature
    "separate" has the input "mixture" `(1, samples, channels)` and the output "sources"
    `(1, samples, channels, sources)`, float32. It contains TFLite's builtin operations only. The
    file is run and compared with Keras before it is written. `Runtime` separates recordings of any
    length with it.

    A model that clusters assigns each bin to one source. If a bin is a tie up to rounding, the file
    may decide otherwise than Keras, and that one bin costs tens of dB of agreement. Such a model is
    tried on several signals of each kind, until all decisions agree on one. Quantised weights
    change more decisions: then the float32 form is tried this way, and the quantised one is judged
    by its SI-SDR.

    Args:
        model: a model of the zoo, a `kerasep.Separator`, or any Functional model from waveform to
            waveforms with the attributes sources, sample_rate and channels.
        path: file to write; must end in ".tflite".
        mode: "separate"; or "mask", for a spectrogram model's network alone, from "magnitude"
            `(1, frames, bins, channels)` to "estimates" `(1, frames, bins, channels, sources)`; or
            "streaming", for a causal model frame by frame, which `StreamRuntime` runs. Defaults to
            "separate".
        seconds: length of the waveform that the file takes, rounded up to a whole number of hops.
            Ignored in mode "streaming". Defaults to the chunk of a model that has its own, else 6.
        quantization: None for float32 weights; "float16" for half the size; "int8" for a quarter
            of the size and integer products (dynamic: activations are quantised at run time),
            except of weights of fewer than 1024 numbers, whose products would be slower;
            "weight_int8" for a quarter of the size and float32 products. The transforms stay
            float32, and so do the learned filterbank and the mask head of a waveform model. Needs
            ai-edge-quantizer. Defaults to None.
        consistent: whether the estimates are made to add up to the mixture, within the file, for a
            model of the zoo; a `Separator` has this setting itself. Defaults to True if the
            sources make up the whole mixture, except in mode "mask".
        check: whether to compare with Keras. Defaults to True.
        tracks: folder of tracks, or list of `kerasep.data.Track`. The change in SI-SDR is measured
            on the middle of each. Default: for quantised weights, a built-in synthetic clip.
        overwrite: whether an existing file may be replaced. Defaults to False.

    Returns:
        An `ExportReport`; print it.

    Raises:
        InputError: if the backend is not TensorFlow, the model cannot be exported, the path cannot
            be written, the length is too short for the model, the mode or quantization is unknown,
            or tracks cannot be read or are combined with `check=False`.
        ExportError: (an InputError) if the model needs an operation that TFLite lacks, or the file
            agrees with Keras to less than 100 dB (40 dB with float16 weights; int8 is judged by its
            SI-SDR). No file is written then.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    report = kerasep.tflite.export(model, "small.tflite", seconds=1, overwrite=True)
    assert report.snr_db > 100
    ```
    """
    _check_backend()
    _check_choice("mode", mode, MODES)
    _check_choice("quantization", quantization, (None, *QUANTIZATIONS))
    litert_schema()  # reports missing packages before the work
    if quantization:
        quantizer_names()
    target = checked_path(path, overwrite)
    if tracks is not None and not check:
        raise InputError(
            "received tracks with check=False, which compares nothing: leave one of them out"
        )
    separator = _as_separator(model, mode, consistent)
    if seconds is None:
        model = getattr(separator, "model", separator)
        seconds = getattr(model, "chunk_seconds", None) or _SECONDS
    plan = MODES[mode](separator, seconds)
    clips, judged_on = (
        _clips(separator, plan.samples, tracks, quantization) if check else ([], None)
    )
    about = description(separator, mode, quantization) | plan.metadata
    if problem := complaint(about):
        raise InputError(f"received a model that cannot be exported: {problem}")
    content = _converted(plan, waveform=about["stft"] is None)
    compared = dict.fromkeys(("snr_db", "max_abs_error", "si_sdr_change_db"))
    if check:
        from kerasep.tflite import parity

        if quantization and parity.decides(plan):
            # Fewer bits change decisions: only float32 can show that all else is right.
            parity.compare(plan, separator, Interpreter(content))
    if quantization:
        content = quantize_weights(content, quantization)
    if check:
        run = Interpreter(content)
        ratio, error = parity.compare(plan, separator, run, quantization)
        compared |= {"snr_db": ratio, "max_abs_error": error}
        if clips:
            from kerasep.tflite.clips import si_sdr_change

            compared["si_sdr_change_db"] = si_sdr_change(plan, separator, run, clips)
    about["parity"] = {key: _finite(value) for key, value in compared.items()}
    about["parity"]["judged_on"] = judged_on
    content = with_metadata(content, about)
    run = Interpreter(content, name=target.name)
    return written(target, content, run, **compared, judged_on=judged_on)


def description(separator, mode, quantization):
    """Return a file's metadata, except for what the mode and the comparison with Keras add."""
    model = getattr(separator, "model", separator)
    stft = getattr(model, "stft", None)
    return {
        "format": FORMAT,
        "kerasep": kerasep.__version__,
        "created_by": f"kerasep {kerasep.__version__}, keras {keras.__version__}",
        "model": type(model).__name__,
        "preset": getattr(model, "preset", None),
        "licence": getattr(model, "licence", None),
        "weights_sha256": _weights_sha256(model),
        "mode": mode,
        "quantization": quantization,
        "sources": list(separator.sources),
        "interchangeable": getattr(separator, "interchangeable", False),
        "residual": residual_of(separator),
        "sample_rate": separator.sample_rate,
        "channels": separator.channels,
        "stft": stft and dict(stft),
        "hop": stft["hop"] if stft else 1,
        "latency": getattr(separator, "latency", None),
        "state": None,
    }


def _weights_sha256(model):
    """Compute the SHA-256 of all weights' little-endian bytes, in the order of `model.weights`."""
    digest = hashlib.sha256()
    for weight in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        digest.update(value.astype(value.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _converted(plan, waveform):
    """Convert a plan's signatures in float32."""
    from kerasep.tflite.conversion import convert
    from kerasep.tflite.forms.registry import export_forms, float_layers

    with export_forms(plan.model), float_layers(plan.model, waveform):
        content, _ = convert(plan.model, plan.signatures)
    return content


def _clips(separator, samples, tracks, quantization):
    """Return the clips that a file is judged by and their name; none for float32 without tracks."""
    from kerasep.tflite.clips import synthetic_clips, track_clips

    if tracks is not None:
        clips = track_clips(separator, tracks, samples)
        return clips, f"the middle of {len(clips)} reference tracks"
    if quantization:
        return synthetic_clips(separator, samples), "the built-in synthetic clip"
    return [], None


def _finite(number):
    """Return a number, or None for infinity and NaN, which JSON lacks."""
    return number if number is not None and math.isfinite(number) else None


def _check_backend():
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"received the Keras backend {backend}, expected tensorflow to export: save the "
            f"weights with model.save_weights(file), start Python with KERAS_BACKEND=tensorflow, "
            f"build the model, load_weights(file) and export there"
        )


def _check_choice(name, received, known):
    if received not in known:
        listed = ", ".join(map(str, known))
        raise InputError(f"received {name}={received!r}, expected one of {listed}")


def _as_separator(model, mode, consistent):
    from kerasep.separation.separator import as_separator

    if not isinstance(model, keras.Model):
        raise InputError(f"received {type(model).__name__}, expected a Keras model to export")
    missing = [name for name in ("sources", "sample_rate", "channels") if not hasattr(model, name)]
    if missing:
        raise InputError(
            f"received the model {model.name} without {', '.join(missing)}, expected a model of "
            f"the zoo, a kerasep.Separator, or a model with these attributes"
        )
    if hasattr(model, "domain"):
        if mode == "mask" and consistent is None:
            consistent = False  # the network alone has no mixture to add up to
        return as_separator(model, consistent=consistent)
    if consistent is not None and consistent != getattr(model, "consistent", False):
        raise InputError(
            f"received consistent={consistent} with {type(model).__name__} {model.name}, expected "
            f"it with a model of the zoo: set it in kerasep.Separator"
        )
    return model
