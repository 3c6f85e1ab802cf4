"""The summary of an export, and what it says of quantized files."""

import dataclasses

from kerasep.tflite.export_report import ExportReport

REPORT = ExportReport(
    path="m.tflite",
    bytes=3_400_000,
    operations={"CONV_2D": 3},
    signatures={"separate": ({"mixture": (1, 96000, 1)}, {"vocals": (1, 96000, 1)})},
    seconds=6.0,
    metadata={
        "model": "UNetLike",
        "quantization": "int8",
        "sources": ["vocals"],
        "sample_rate": 16000,
    },
    snr_db=33.2,
    max_abs_error=0.01,
)


def test_only_quantized_files_have_their_figure_explained():
    lines = str(REPORT).splitlines()
    place = lines.index("  as Keras  33.2 dB, largest difference 1.0e-02")
    assert "the error from rounding the weights" in lines[place + 1]
    assert "kerasep export --tracks" in lines[place + 5]
    assert max(map(len, lines)) <= 80
    whole = dataclasses.replace(REPORT, metadata={**REPORT.metadata, "quantization": None})
    assert "rounding" not in str(whole)
    unchecked = dataclasses.replace(REPORT, snr_db=None)
    assert "rounding" not in str(unchecked)
