"""Weights of fewer bits in a TFLite file, with ai-edge-quantizer and without TensorFlow.

Dynamic int8 stores weights as int8 and multiplies them by activations that are quantised at run
time; small weights stay float32. Weight-only int8 and float16 convert weights back to float32
first. Nothing is calibrated. The transforms stay float32: their tables are small, and eight bits of
them cost 40 dB.
"""

import contextlib
import os

import numpy as np

from kerasep.errors import InputError, installed_by
from kerasep.tflite.export_report import ExportReport, checked_path, written
from kerasep.tflite.format.graphs import with_buffers_inside
from kerasep.tflite.format.metadata import parse_metadata, read_model, with_metadata
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.silence import quiet

QUANTIZATIONS = ("float16", "int8", "weight_int8")
# Operations traced in this name scope keep their float32 weights.
SCOPE = "kerasep_float"
# Smaller products take longer in int8: their inputs are quantised anew at every step.
_LEAST_WEIGHTS = 1024


def quantize(
    path: str | os.PathLike,
    out: str | os.PathLike,
    quantization: str,
    *,
    overwrite: bool = False,
) -> ExportReport:
    """Quantise the weights of a file that `export` wrote in float32.

    `export(..., quantization=...)` does the same and compares with Keras. Here nothing is compared,
    and the new file's metadata has no figures of agreement.

    Args:
        path: the file.
        out: file to write; must end in ".tflite".
        quantization: "float16", "int8" or "weight_int8", as in `export`.
        overwrite: whether an existing file may be replaced. Defaults to False.

    Returns:
        An `ExportReport`, not checked.

    Raises:
        InputError: if the file is missing, damaged, not from kerasep or already quantised, `out`
            cannot be written, the quantization is unknown, or ai-edge-quantizer is missing.

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
    target = checked_path(out, overwrite)
    about |= {"quantization": quantization, "parity": None}
    content = with_metadata(quantize_weights(content, quantization), about)
    run = Interpreter(content, name=target.name)
    _check_finite(run)
    return written(target, content, run)


def quantizer_names():
    """Return what is used of ai-edge-quantizer: two modules, and the names of its algorithms."""
    with installed_by("kerasep[edge]"):
        from ai_edge_quantizer import qtyping, quantizer
        from ai_edge_quantizer.algorithm_manager import AlgorithmName
    return qtyping, quantizer, AlgorithmName


def quantize_weights(content, quantization):
    """Quantise the weights in the bytes of a TFLite file."""
    qtyping, quantizer, AlgorithmName = quantizer_names()
    every = qtyping.TFLOperationName.ALL_SUPPORTED
    work = quantizer.Quantizer(content)
    if quantization == "int8":
        work.update_quantization_recipe(".*", every, _dynamic(qtyping))
    elif quantization == "weight_int8":
        work.add_weight_only_config(".*", every, 8)
    else:
        casting = AlgorithmName.FLOAT_CASTING
        work.add_weight_only_config(".*", every, 16, algorithm_key=casting)
    work.update_quantization_recipe(
        regex=f".*{SCOPE}.*", operation_name=every, algorithm_key=AlgorithmName.NO_QUANTIZE
    )
    with quiet(), contextlib.redirect_stdout(None):
        return with_buffers_inside(bytes(work.quantize().quantized_model))


def _dynamic(qtyping):
    """Return the setting of int8 products, of weights that are large enough for them."""
    weights = qtyping.TensorQuantizationConfig(
        num_bits=8, symmetric=True, granularity=qtyping.QuantGranularity.CHANNELWISE
    )
    return qtyping.OpQuantizationConfig(
        weight_tensor_config=weights,
        compute_precision=qtyping.ComputePrecision.INTEGER,
        min_weight_elements=_LEAST_WEIGHTS,
    )


def _check_finite(run):
    rng = np.random.default_rng(0)
    for name, (shapes, _) in run.signatures.items():
        if "state" in shapes:  # random numbers are not a state
            continue
        noise = {key: 0.1 * rng.random(shape, "float32") for key, shape in shapes.items()}
        if not all(np.isfinite(result).all() for result in run(name, **noise).values()):
            raise InputError(
                f"received a file whose signature {name} computes NaN or infinite values with "
                f"these weights, expected finite ones: choose another quantization"
            )
