"""From a Keras model of fixed shape to the bytes of a TFLite file, builtin operations only."""

import contextlib
import logging
import re
import tempfile
import warnings

import tensorflow as tf

# The converter raises this; it has no public name.
from tensorflow.lite.python.convert_phase import ConverterError

from kerasep.errors import InputError
from kerasep.tflite.interpreter import SIGNATURE
from kerasep.tflite.metadata import has_variables, operations
from kerasep.tflite.silence import quiet


class ExportError(InputError):
    """Raised when a model cannot become a TFLite file that computes the same."""


def convert(model, function, **inputs):
    """Convert a function of a model's weights.

    Args:
        model: the `keras.Model` that owns the weights.
        function: function of tensors, by the names of `inputs`, that returns a dict of tensors.
        **inputs: shape of each input; float32, and all fixed.

    Returns:
        Bytes of a TFLite file with the signature "separate", and dict of its operations' counts.

    Raises:
        ExportError: for an operation that TFLite has no builtin for.
    """
    # A plain module that owns the raw variables: with the Keras model itself as their owner, the
    # converter writes a broken file without an error.
    module = tf.Module()
    module.kept = [variable.value for variable in model.variables]
    specs = {name: tf.TensorSpec(shape, name=name) for name, shape in inputs.items()}
    with quiet() as text, _muted(), tempfile.TemporaryDirectory() as folder:
        concrete = tf.function(function, autograph=False).get_concrete_function(**specs)
        module.function = concrete
        tf.saved_model.save(module, folder, signatures={SIGNATURE: concrete})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        try:
            content = converter.convert()
        except ConverterError as error:
            raise ExportError(_reason(f"{error}\n{text()}")) from error
    counts = operations(content)
    foreign = [name for name in counts if name.startswith(("custom", "VAR_", "READ_", "ASSIGN_"))]
    if foreign or has_variables(content):
        raise ExportError(
            f"received a model that needs {', '.join(foreign) or 'variable tensors'}, expected "
            f"TFLite's builtin operations and constants only"
        )
    return content, counts


def _reason(text):
    """Make one line of the converter's complaint."""
    missing = sorted(set(re.findall(r"'(tf\.\w+)' op is neither a custom op nor a flex op", text)))
    if missing:
        return (
            f"received a model with {', '.join(missing)}, which TFLite has no builtin operation "
            f"for: compute it another way, or add an export form to kerasep.tflite.rewrites.FORMS"
        )
    first = re.search(r"error: ([^\n]*)", text)
    words = " ".join((first.group(1) if first else text).split())[:300]
    return f"received a model that TFLite's converter refuses: {words}"


@contextlib.contextmanager
def _muted():
    """Keep TensorFlow's logging and warnings quiet."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
