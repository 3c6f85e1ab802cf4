"""What an export came to."""

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What an export came to; print it.

    Attributes:
        path: the file.
        bytes: its size.
        operations: dict from TFLite operation to how often it occurs.
        signatures: dict from a signature's name to two dicts, of its inputs and its outputs, from
            name to shape.
        snr_db: agreement with Keras in dB, the worst of all sources and test signals; None
            where it was not checked.
        max_abs_error: largest difference from Keras; None likewise.
        si_sdr_change_db: by how much the SI-SDR of the file is above Keras' on reference clips, the
            mean over clips and sources; below zero, that much is lost. None where no weights were
            quantised and no clips given.
        judged_on: which clips those are.
        seconds: length of the waveform that the file takes, or has the frames of; None for
            one that takes a stream.
        metadata: what is written in the file.
    """

    path: pathlib.Path
    bytes: int
    operations: dict
    signatures: dict
    snr_db: float | None
    max_abs_error: float | None
    si_sdr_change_db: float | None
    judged_on: str | None
    seconds: float | None
    metadata: dict

    def __str__(self):
        """One screen for people."""
        about = self.metadata
        weights = about["quantization"] or "float32"
        lines = [f"{self.path}: {self.bytes / 1e6:.2f} MB, {about['model']}, {weights}"]
        for name, (inputs, outputs) in self.signatures.items():
            lines.append(f"  {name:9s} {_listed(inputs)} -> {_listed(outputs)}")
        lines += [
            f"  sources   {', '.join(about['sources'])}",
        ]
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
        return "\n".join([*lines, f"  builtins  {listed}{rest}"])


def _listed(shapes):
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
