"""A file that exists, with weights of fewer bits: neither TensorFlow nor Keras is needed."""

import numpy as np

from kerasep.errors import InputError
from kerasep.tflite.export_report import written
from kerasep.tflite.files import checked_path
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.metadata import parse_metadata, read_model, with_metadata
from kerasep.tflite.quantization import QUANTIZATIONS, quantize_weights


def quantize(path, out, quantization, *, overwrite=False):
    """Quantise the weights of a file that `export` wrote in float32.

    `export(..., quantization=...)` does the same, and compares with Keras; here there is no Keras
    to compare with, and the new file's metadata says nothing of its agreement.

    Args:
        path: the file.
        out: where to write; must end in ".tflite".
        quantization: "float16", "int8" or "weight_int8", as of `export`.
        overwrite: whether an existing file may be replaced. Defaults to False.

    Returns:
        An `ExportReport`, not checked.

    Raises:
        InputError: for a file that is missing, damaged, not from kerasep or quantised already, a
            path that cannot be written, an unknown quantization, and without ai-edge-quantizer.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.tflite.export(model, "small.tflite", seconds=1, overwrite=True)
    report = kerasep.tflite.quantize("small.tflite", "small8.tflite", "int8", overwrite=True)
    assert report.metadata["quantization"] == "int8"
    ```
    """
    content = read_model(path)
    about = parse_metadata(content, path)
    if quantization not in QUANTIZATIONS:
        listed = ", ".join(QUANTIZATIONS)
        raise InputError(f"received quantization={quantization!r}, expected one of {listed}")
    if about["quantization"]:
        raise InputError(
            f"received {path}, whose weights are {about['quantization']} already, expected a file "
            f"exported in float32"
        )
    out = checked_path(out, overwrite)
    about |= {"quantization": quantization, "parity": None}
    content = with_metadata(quantize_weights(content, quantization), about)
    run = Interpreter(content, name=out.name)
    _check_finite(run)
    return written(out, content, run)


def _check_finite(run):
    rng = np.random.default_rng(0)
    for name, (shapes, _) in run.signatures.items():
        if "state" in shapes:  # no state at random is one
            continue
        noise = {key: 0.1 * rng.random(shape, "float32") for key, shape in shapes.items()}
        if not all(np.isfinite(result).all() for result in run(name, **noise).values()):
            raise InputError(
                f"received a file whose signature {name} gives numbers that are not finite with "
                f"these weights, expected none: choose another quantization"
            )
