"""Weights of fewer bits, in the bytes of a TFLite file; needs ai-edge-quantizer, no TensorFlow.

Dynamic int8 stores weights as int8 and multiplies them with activations that are quantised as they
come; weight-only int8 and float16 turn weights back to float32 first. Nothing is calibrated. The
transforms stay float32: their tables are small, and eight bits of them cost 40 dB.
"""

import contextlib

from kerasep.errors import InputError
from kerasep.tflite.graphs import with_buffers_inside
from kerasep.tflite.silence import quiet

QUANTIZATIONS = ("float16", "int8", "weight_int8")
# Operations traced under this name keep their float32 weights.
SCOPE = "kerasep_float"


def quantize_weights(content, quantization):
    """Quantise the weights in the bytes of a TFLite file.

    Args:
        content: the bytes.
        quantization: "float16", "int8" (dynamic) or "weight_int8".

    Returns:
        The bytes of a smaller file with the same signatures.

    Raises:
        InputError: without ai-edge-quantizer.
    """
    try:
        from ai_edge_quantizer import qtyping, quantizer
        from ai_edge_quantizer.algorithm_manager import AlgorithmName
    except ImportError as error:
        raise InputError(
            f"received quantization={quantization!r} without ai-edge-quantizer, expected it to "
            f"quantise: pip install 'kerasep[edge]'"
        ) from error
    every = qtyping.TFLOperationName.ALL_SUPPORTED
    work = quantizer.Quantizer(content)
    if quantization == "int8":
        work.add_dynamic_config(".*", every, 8)
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
