"""Export: a model becomes one file, tried against Keras before it is written."""

import math

import keras

from kerasep.errors import InputError
from kerasep.tflite.bounds import complaint
from kerasep.tflite.description import description
from kerasep.tflite.export_report import written
from kerasep.tflite.files import checked_path
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.mask_export import mask
from kerasep.tflite.metadata import with_metadata
from kerasep.tflite.quantization import QUANTIZATIONS, quantize_weights
from kerasep.tflite.separate_export import separate
from kerasep.tflite.streaming_export import streaming

# mode -> function of a separator and seconds that returns a `kerasep.tflite.plan.Plan`
MODES = {"separate": separate, "mask": mask, "streaming": streaming}


def export(
    model,
    path,
    *,
    mode="separate",
    seconds=6.0,
    quantization=None,
    check=True,
    tracks=None,
    overwrite=False,
):
    """Export a model as one `.tflite` file.

    By default the file takes a waveform and gives waveforms, with the transforms inside: its
    signature "separate" has the input "mixture" `(1, samples, channels)` and the output "sources"
    `(1, samples, channels, sources)`, float32. All is made of TFLite's builtin operations. The file
    is run and compared with Keras before it is written. `Runtime` separates recordings of any
    length with it.

    A model that clusters gives each bin to one source or the other. Where a bin is as near to both
    as rounding can tell, the file may decide otherwise than Keras, and that bin alone costs the
    agreement tens of dB. Such a model is tried on several signals, until all decisions agree on one
    of each kind; with quantised weights that is not to be expected, so there the float32 form is
    tried so, and the quantised one is judged by its SI-SDR.

    Args:
        model: a model of the zoo, a `kerasep.Separator`, or any Functional model from waveform to
            waveforms with the attributes sources, sample_rate and channels.
        path: where to write; must end in ".tflite".
        mode: "separate"; or "mask", for a spectrogram model's network alone, from "magnitude"
            `(1, frames, bins, channels)` to "estimates" `(1, frames, bins, channels, sources)`; or
            "streaming", for a causal model frame by frame, which `StreamRuntime` runs. Defaults to
            "separate".
        seconds: length of the waveform that the file takes, rounded up to a whole number of hops;
            without meaning in mode "streaming". Defaults to 6.
        quantization: None for float32 weights; "float16" for half the size; "int8" for a quarter,
            and integer products (dynamic: activations are quantised as they come); "weight_int8"
            for a quarter, and products in float32. The transforms stay float32, and so do the
            learned filterbank and the mask head of a waveform model. Needs ai-edge-quantizer.
            Defaults to None.
        check: whether to compare with Keras. Defaults to True.
        tracks: folder of tracks, or list of `kerasep.data.Track`, on the middle of which the change
            in SI-SDR is measured. Default: for quantised weights, a built-in synthetic clip.
        overwrite: whether an existing file may be replaced. Defaults to False.

    Returns:
        An `ExportReport`; print it.

    Raises:
        InputError: for a backend other than TensorFlow, a path that cannot be written, a length
            too short for the model, an unknown mode or quantization, tracks that cannot be read or
            with `check=False`, or what is no such model.
        ExportError: (an InputError) when the model needs what TFLite lacks, or the file agrees
            with Keras to less than 100 dB (55 dB with float16 weights; int8 is judged by its
            SI-SDR). Nothing is written then.

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
    path = checked_path(path, overwrite)
    if tracks is not None and not check:
        raise InputError(
            "received tracks with check=False, which compares nothing: leave one of them out"
        )
    separator = _as_separator(model)
    plan = MODES[mode](separator, seconds)
    clips, judged_on = (
        _clips(separator, plan.samples, tracks, quantization) if check else ([], None)
    )
    about = description(separator, mode, quantization) | plan.metadata
    if problem := complaint(about):
        raise InputError(f"received a model that no file can be of: {problem}")
    content = _converted(plan, about["stft"] is None)
    ratio = largest = change = None
    if check:
        from kerasep.tflite import trial

        if quantization and trial.decides(plan):
            # With fewer bits, decisions differ: that all else is right, float32 shows.
            trial.compare(plan, separator, Interpreter(content))
    if quantization:
        content = quantize_weights(content, quantization)
    run = Interpreter(content)
    if check:
        ratio, largest = trial.compare(plan, separator, run, quantization)
        if clips:
            change = trial.si_sdr_change(plan, separator, run, clips)
    about["parity"] = {
        "snr_db": _finite(ratio),
        "max_abs_error": largest,
        "si_sdr_change_db": _finite(change),
        "judged_on": judged_on,
    }
    content = with_metadata(content, about)
    return written(
        path,
        content,
        Interpreter(content, name=path.name),
        snr_db=ratio,
        max_abs_error=largest,
        si_sdr_change_db=change,
        judged_on=judged_on,
    )


def _converted(plan, waveform):
    """Convert what a mode plans, in float32."""
    from kerasep.tflite.conversion import convert
    from kerasep.tflite.float_layers import float_layers
    from kerasep.tflite.rewrites import export_forms

    with export_forms(plan.model), float_layers(plan.model, waveform):
        content, _ = convert(plan.model, plan.signatures)
    return content


def _clips(separator, samples, tracks, quantization):
    """Give the clips that a file is judged by, and their name; none for float32 without tracks."""
    from kerasep.tflite import clips

    if tracks is not None:
        found = clips.track_clips(separator, tracks, samples)
        return found, f"the middle of {len(found)} reference tracks"
    if quantization:
        return clips.synthetic_clips(separator, samples), "the built-in synthetic clip"
    return [], None


def _finite(number):
    """JSON has no number for infinity, nor for what is none."""
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


def _as_separator(model):
    from kerasep.separation.apply import as_separator

    if not isinstance(model, keras.Model):
        raise InputError(f"received {type(model).__name__}, expected a Keras model to export")
    missing = [name for name in ("sources", "sample_rate", "channels") if not hasattr(model, name)]
    if missing:
        raise InputError(
            f"received the model {model.name} without {', '.join(missing)}, expected a model of "
            f"the zoo, a kerasep.Separator, or a model with these attributes"
        )
    return as_separator(model) if hasattr(model, "domain") else model
