"""Convert a Keras model of fixed shape to a TFLite file of builtin operations only."""

import contextlib
import logging
import re
import tempfile
import warnings

import tensorflow as tf

# The converter raises this; it has no public name.
from tensorflow.lite.python.convert_phase import ConverterError

from kerasep.errors import InputError
from kerasep.tflite.format.graphs import has_variables, operations, with_work_first
from kerasep.tflite.silence import quiet

# A file takes at least this share of its weights' bytes, and at most this many times as much: a
# transposed convolution's kernel is filled up with zeros. Tables and operations come on top.
_LEAST_SHARE, _MOST_TIMES = 0.2, 3
_TABLES, _OPERATION = 1_000_000, 1000

# Where the converter met an operation: the last name is that of the operation.
_PLACE = r"""fused\["\w+:", "([^"@]+)@[^\n]*error: 'tf\.\w+' op is neither"""
# Names of operations, and what to use instead.
_WAYS_OUT = [
    (
        r"FFT|Complex",
        "use kerasep.layers.STFT and InverseSTFT, exported as real products",
    ),
    (r"TensorList|TensorArray", "give recurrent layers the activations tanh and sigmoid"),
]


class ExportError(InputError):
    """Raised when a model cannot become a TFLite file that computes the same."""


def convert(model, signatures):
    """Convert functions of a model's weights; return the file's bytes and operation counts."""
    # signatures: name -> function from tensors to a dict of tensors, and dict from its arguments'
    # names to their fixed shapes, all float32
    # A plain module that owns the raw variables: with the Keras model itself as their owner, the
    # converter writes a broken file without an error.
    module = tf.Module()
    module.kept = [variable.value for variable in model.variables]
    with quiet(pass_on=True) as text, _muted(), tempfile.TemporaryDirectory() as folder:
        module.functions = traced = {
            name: _traced(function, shapes) for name, (function, shapes) in signatures.items()
        }
        tf.saved_model.save(module, folder, signatures=traced)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(traced))
        try:
            content = with_work_first(converter.convert())
        except ConverterError as error:
            raise ExportError(_reason(f"{error}\n{text()}")) from error
    counts = operations(content)
    foreign = [name for name in counts if name.startswith(("custom", "VAR_", "READ_", "ASSIGN_"))]
    if foreign or has_variables(content):
        raise ExportError(
            f"received a model that needs {', '.join(foreign) or 'variable tensors'}, expected "
            f"TFLite's builtin operations and constants only"
        )
    _check_size(content, counts, model, traced.values())
    return content, counts


def _check_size(content, counts, model, functions):
    """Raise ExportError for a file too small for the weights, or that repeats them."""
    used = {id(variable): variable for function in functions for variable in function.variables}
    least = _LEAST_SHARE * 4 * sum(variable.shape.num_elements() for variable in used.values())
    most = _MOST_TIMES * 4 * model.count_params() + _TABLES + _OPERATION * sum(counts.values())
    if not least <= len(content) <= most:
        raise ExportError(
            f"received a model whose TFLite form takes {len(content)} bytes, expected {least:.0f} "
            f"to {most:.0f} by its weights: the converter lost or repeated some"
        )


def _traced(function, shapes):
    specs = {name: tf.TensorSpec(shape, name=name) for name, shape in shapes.items()}
    return tf.function(function, autograph=False).get_concrete_function(**specs)


def _reason(text):
    """Return one line for the converter's error."""
    missing = sorted(set(re.findall(r"'(tf\.\w+)' op is neither a custom op nor a flex op", text)))
    if missing:
        places = sorted({place.rpartition("/")[0] for place in re.findall(_PLACE, text)} - {""})
        layers = f" in {', '.join(places)}" if places else ""
        ways = {way for names, way in _WAYS_OUT if re.search(names, " ".join(missing))}
        way = "; ".join(sorted(ways)) or "compute it another way"
        return (
            f"received a model with {', '.join(missing)}{layers}, which TFLite has no builtin "
            f"operation for: {way}, or add an export form to kerasep.tflite.forms.registry.FORMS"
        )
    first = re.search(r"error: ([^\n]*)", text)
    words = " ".join((first.group(1) if first else text).split())[:300]
    return f"received a model that TFLite's converter rejects: {words}"


@contextlib.contextmanager
def _muted():
    """Silence TensorFlow's logging and warnings."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
