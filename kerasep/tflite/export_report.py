"""What an export came to."""

import dataclasses
import pathlib

from kerasep.system.names import one_line
from kerasep.tflite.files import write
from kerasep.tflite.graphs import operations
from kerasep.tflite.metadata import parse_metadata


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What an export came to; print it.

    Attributes:
        path: the file.
        bytes: its size.
        operations: dict from TFLite operation to how often it occurs.
        signatures: dict from a signature's name to two dicts, of its inputs and its outputs, from
            name to shape.
        seconds: length of the waveform that the file takes, or has the frames of; None for
            one that takes a stream.
        metadata: what is written in the file.
        snr_db: agreement with Keras in dB, the worst of all sources and test signals; None
            where it was not checked.
        max_abs_error: largest difference from Keras; None likewise.
        si_sdr_change_db: by how much the SI-SDR of the file is above Keras' on reference clips, the
            mean over clips and sources; below zero, that much is lost. None where no weights were
            quantised and no clips given.
        judged_on: which clips those are.
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
        """One screen for people."""
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
        if self.si_sdr_change_db is not None:
            lines.append(f"  SI-SDR    {self.si_sdr_change_db:+.2f} dB on {self.judged_on}")
        common = list(self.operations.items())
        listed = ", ".join(f"{name} {count}" for name, count in common[:8])
        rest = f" and {len(common) - 8} more" if len(common) > 8 else ""
        return "\n".join(map(one_line, [*lines, f"  builtins  {listed}{rest}"]))


def written(path, content, run, **compared):
    """Write a file, and report on it.

    Args:
        path: where to.
        content: its bytes.
        run: its `Interpreter`: what is written loads.
        **compared: what the comparison with Keras gave, as attributes of the report.

    Returns:
        An `ExportReport`.

    Raises:
        InputError: where it cannot be written.
    """
    write(path, content)
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
