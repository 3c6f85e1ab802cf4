"""Export: one file, waveform in, waveforms out, tried against Keras before it is written."""

import dataclasses
import math
import pathlib

import keras
import numpy as np

import kerasep
from kerasep.errors import InputError
from kerasep.layers import KMeans
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.metadata import FORMAT, with_metadata

# A graph that is wrong agrees on none; one that is right, on most: each bin is a tie by chance.
_TRIES = 8
_OVERLAP = 4  # the recommended overlap is this part of a chunk: a quarter


@dataclasses.dataclass(frozen=True)
class Report:
    """What an export came to.

    Attributes:
        path: the file.
        bytes: its size.
        operations: dict from TFLite operation to how often it occurs.
        snr_db: agreement with Keras in dB, the worst of all sources and test signals.
        max_abs_error: largest difference from Keras.
        seconds: length of the waveform that the file takes.
        metadata: what is written in the file.
    """

    path: pathlib.Path
    bytes: int
    operations: dict
    snr_db: float
    max_abs_error: float
    seconds: float
    metadata: dict

    def __str__(self):
        """One screen for people."""
        common = list(self.operations.items())
        listed = ", ".join(f"{name} {count}" for name, count in common[:8])
        rest = f" and {len(common) - 8} more" if len(common) > 8 else ""
        about = self.metadata
        return "\n".join(
            [
                f"{self.path}: {self.bytes / 1e6:.2f} MB, {about['model']}",
                f"  in        mixture (1, {about['chunk']}, {about['channels']}), "
                f"{self.seconds:.3f} s at {about['sample_rate']} Hz",
                f"  out       sources (1, {about['chunk']}, {about['channels']}, "
                f"{len(about['sources'])}): {', '.join(about['sources'])}",
                f"  as Keras  {self.snr_db:.1f} dB, largest difference {self.max_abs_error:.1e}",
                f"  builtins  {listed}{rest}",
            ]
        )


def export(model, path, seconds=6.0, *, overwrite=False):
    """Export a model as one `.tflite` file, from waveform to waveforms.

    The file has the signature "separate": input "mixture" `(1, samples, channels)`, output
    "sources" `(1, samples, channels, sources)`, float32. The transforms are inside, and all is made
    of TFLite's builtin operations. It is run and compared with Keras before it is written.
    `Runtime` separates recordings of any length with it.

    A model that clusters gives each bin to one source or the other. Where a bin is as near to both
    as rounding can tell, the file may decide otherwise than Keras, and that bin alone costs the
    agreement tens of dB. Such a model is tried on several signals, until all decisions agree on one
    of each kind.

    Args:
        model: a model of the zoo, a `kerasep.Separator`, or any Functional model from waveform to
            waveforms with the attributes sources, sample_rate and channels.
        path: where to write; must end in ".tflite".
        seconds: length of the waveform that the file takes, rounded up to a whole number of hops.
            Defaults to 6.
        overwrite: whether an existing file may be replaced. Defaults to False.

    Returns:
        A `Report`; print it.

    Raises:
        InputError: for a backend other than TensorFlow, a path that cannot be written, a length
            too short for the model, or what is no such model.
        ExportError: (an InputError) when the model needs what TFLite lacks, or the file agrees
            with Keras to less than 100 dB. Nothing is written then.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    report = kerasep.tflite.export(model, "small.tflite", seconds=1, overwrite=True)
    assert report.snr_db > 100
    ```
    """
    _check_backend()
    path = _checked_path(path, overwrite)
    separator = _as_separator(model)
    stft = getattr(getattr(separator, "model", separator), "stft", None)
    hop = stft["hop"] if stft else 1
    samples = _samples(seconds, separator.sample_rate, stft, hop)

    from kerasep.tflite.conversion import convert
    from kerasep.tflite.rewrites import export_forms

    def function(mixture):
        return {"sources": separator(mixture, training=False)}

    with export_forms(separator):
        shapes = {"mixture": (1, samples, separator.channels)}
        content, counts = convert(separator, {"separate": (function, shapes)})
    ratio, largest = _compare(separator, content, samples)
    metadata = {
        "format": FORMAT,
        "kerasep": kerasep.__version__,
        "created_by": f"kerasep {kerasep.__version__}, keras {keras.__version__}",
        "model": type(getattr(separator, "model", separator)).__name__,
        "sources": list(separator.sources),
        "sample_rate": separator.sample_rate,
        "channels": separator.channels,
        "chunk": samples,
        "overlap": _overlap(samples, stft, hop),
        "hop": hop,
        "latency": getattr(separator, "latency", None),
        "interchangeable": getattr(separator, "interchangeable", False),
        "stft": stft and dict(stft),
        "parity": {
            "snr_db": ratio if math.isfinite(ratio) else None,  # None: equal to the last bit
            "max_abs_error": largest,
        },
    }
    content = with_metadata(content, metadata)
    _write(path, content)
    return Report(
        path, len(content), counts, ratio, largest, samples / separator.sample_rate, metadata
    )


def _check_backend():
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"received the Keras backend {backend}, expected tensorflow to export: save the "
            f"weights with model.save_weights(file), start Python with KERAS_BACKEND=tensorflow, "
            f"build the model, load_weights(file) and export there"
        )


def _checked_path(path, overwrite):
    path = pathlib.Path(path)
    if path.suffix != ".tflite":
        raise InputError(f"received {path}, expected a file name ending in .tflite")
    if not path.parent.is_dir():
        raise InputError(f"received {path}, but there is no folder {path.parent}: make it first")
    if path.is_dir():
        raise InputError(f"received {path}, expected a file, not a folder")
    if path.exists() and not overwrite:
        raise InputError(f"received {path}, which exists: choose another name, or ask to overwrite")
    return path


def _as_separator(model):
    from kerasep.separation import as_separator

    if not isinstance(model, keras.Model):
        raise InputError(f"received {type(model).__name__}, expected a Keras model to export")
    missing = [name for name in ("sources", "sample_rate", "channels") if not hasattr(model, name)]
    if missing:
        raise InputError(
            f"received the model {model.name} without {', '.join(missing)}, expected a model of "
            f"the zoo, a kerasep.Separator, or a model with these attributes"
        )
    return as_separator(model) if hasattr(model, "domain") else model


def _samples(seconds, sample_rate, stft, hop):
    samples = math.ceil(seconds * sample_rate / hop - 1e-9) * hop
    least = stft["n_fft"] if stft else 1
    if samples < least:
        raise InputError(
            f"received seconds={seconds}, expected at least {least / sample_rate:.3f}: one frame "
            f"of the transform"
        )
    return samples


def _overlap(samples, stft, hop):
    """Choose an overlap whose outer quarters hold the frames that reach beyond a chunk."""
    wanted = max(samples // _OVERLAP, 4 * stft["n_fft"] if stft else 0)
    return min(math.ceil(wanted / hop), samples // 2 // hop) * hop


def _compare(separator, content, samples):
    """Run the file beside Keras; return the worst ratio in dB and the largest difference."""
    from kerasep.tflite import parity
    from kerasep.tflite.conversion import ExportError

    run = Interpreter(content)
    # Keras has no public walk through the layers inside layers.
    decides = any(isinstance(layer, KMeans) for layer in separator._flatten_layers())
    found = []
    for kind in parity.KINDS:
        for seed in range(_TRIES if decides else 1):
            try:
                found.append(_agreement(separator, run, samples, kind, seed))
                break
            except ExportError as error:
                reason = error
        else:
            raise reason
    ratios, errors = zip(*found, strict=True)
    return min(ratios), max(errors)


def _agreement(separator, run, samples, kind, seed):
    """Compare one signal; return the worst ratio in dB of all sources and the largest error."""
    from kerasep.tflite import parity
    from kerasep.tflite.conversion import ExportError

    waveform = parity.signals(samples, separator.channels, separator.sample_rate, seed)[kind]
    expected = np.asarray(separator(waveform, training=False))
    received = run("separate", mixture=waveform)["sources"]
    if received.shape != expected.shape:
        raise ExportError(
            f"received a model whose output is {expected.shape} in Keras and {received.shape} "
            f"in TFLite, expected them equal"
        )
    found = []
    for index, source in enumerate(separator.sources):
        ratio, error = parity.agreement(expected[..., index], received[..., index])
        if not ratio >= parity.GATE_DB:
            where = parity.first_departure(separator, waveform)
            raise ExportError(
                f"received a model whose TFLite form differs from Keras: {source} agrees to "
                f"{ratio:.1f} dB on {kind}, expected {parity.GATE_DB:.0f} dB; {where}"
            )
        found.append((ratio, error))
    ratios, errors = zip(*found, strict=True)
    return min(ratios), max(errors)


def _write(path, content):
    """Write a file that is either whole or not there."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
