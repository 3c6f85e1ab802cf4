"""Errors in the user's data that are found inside a tf.data pipeline."""

import contextlib
import re

import tensorflow as tf

from kerasep.errors import InputError


@contextlib.contextmanager
def input_errors():
    """Raise an `InputError` that TensorFlow reports from its threads as text in its own error."""
    try:
        yield
    except tf.errors.OpError as error:
        match = re.search(r"InputError: (.+)", str(error))
        if not match:
            raise
        raise InputError(match[1].strip()) from error
