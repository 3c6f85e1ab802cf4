"""The result of an export, and writing the file."""

import dataclasses
import pathlib

from kerasep.errors import InputError
from kerasep.files.atomic import replacing
from kerasep.system.names import one_line
from kerasep.tflite.format.graphs import operations
from kerasep.tflite.format.metadata import parse_metadata

_QUANTIZED = (
    "            the level of the sources above the error from rounding the weights,",
    "            at the worst of all test signals. It is expected to be far below the",
    "            100 dB of float32, and matters only beside the errors of the model.",
    "            What it costs in quality: kerasep evaluate on this file and on the",
    "            model, or kerasep export --tracks FOLDER.",
)


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """The result of an export; print it for a summary.

    Attributes:
        path: the file.
        bytes: its size.
        operations: dict from TFLite operation to how often it occurs.
        signatures: dict from a signature's name to a pair of dicts, for its inputs and its outputs,
            from name to shape.
        seconds: length of the waveform that the file takes; None for a file that takes a stream.
        metadata: what is written in the file, as `read_metadata` returns it.
        snr_db: agreement with Keras in dB, the lowest of all sources and test signals; None if it
            was not checked.
        max_abs_error: largest difference from Keras, or None.
        si_sdr_change_db: SI-SDR of the file minus that of Keras in dB, the mean over reference
            clips and sources. A negative value is a loss. None without quantization and tracks.
        judged_on: which reference clips.
    """

    path: pathlib.Path
    bytes: int
    operations: dict
    signatures: dict
    seconds: float | None
    metadata: dict
    snr_db: float | None = None
    max_abs_error: float | None = None
    si_sdr_change_db: float | None = None
    judged_on: str | None = None

    def __str__(self):
        """Return a summary of a few lines."""
        about = self.metadata
        weights = about["quantization"] or "float32"
        lines = [f"{self.path}: {self.bytes / 1e6:.2f} MB, {about['model']}, {weights}"]
        for name, (inputs, outputs) in self.signatures.items():
            lines.append(f"  {name:9s} {_listed(inputs)} -> {_listed(outputs)}")
        lines.append(f"  sources   {', '.join(about['sources'])}")
        if self.seconds is not None:
            lines.append(f"  takes     {self.seconds:.3f} s at {about['sample_rate']} Hz")
        if self.snr_db is None:
            lines.append("  as Keras  not checked")
        else:
            lines.append(
                f"  as Keras  {self.snr_db:.1f} dB, largest difference {self.max_abs_error:.1e}"
            )
            if about["quantization"]:
                lines += _QUANTIZED
        if self.si_sdr_change_db is not None:
            lines.append(f"  SI-SDR    {self.si_sdr_change_db:+.2f} dB on {self.judged_on}")
        counts = list(self.operations.items())
        listed = ", ".join(f"{name} {count}" for name, count in counts[:8])
        rest = f" and {len(counts) - 8} more" if len(counts) > 8 else ""
        return "\n".join(map(one_line, [*lines, f"  builtins  {listed}{rest}"]))


def checked_path(path, overwrite):
    """Return a path that a `.tflite` file may be written to, or raise InputError."""
    path = pathlib.Path(path)
    if path.suffix != ".tflite":
        raise InputError(f"received {path}, expected a file name ending in .tflite")
    if not path.parent.is_dir():
        raise InputError(f"received {path}, but there is no folder {path.parent}: create it first")
    if path.is_dir():
        raise InputError(f"received {path}, expected a file, not a folder")
    if path.exists() and not overwrite:
        raise InputError(f"received {path}, which exists: choose another name, or ask to overwrite")
    return path


def written(path, content, run, **compared):
    """Write a file that `run` has loaded, and return its report."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    about = parse_metadata(content, path)
    return ExportReport(
        path=path,
        bytes=len(content),
        operations=operations(content),
        signatures=run.signatures,
        seconds=about["chunk"] and about["chunk"] / about["sample_rate"],
        metadata=about,
        **compared,
    )


def _listed(shapes):
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
