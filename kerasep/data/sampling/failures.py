"""Failures inside a tf.data pipeline, told as what they are."""

import contextlib
import re

import tensorflow as tf

from kerasep.errors import InputError


@contextlib.contextmanager
def input_errors():
    """Turn the failure of a pipeline that met a bad file into the `InputError` that it began as.

    TensorFlow reports it from its own threads, as an error of its own with a traceback for text.

    Raises:
        InputError: the line that says which file and why.

    Example:
    ```python
    from kerasep import data

    with data.failures.input_errors():
        pass  # model.fit(...)
    ```
    """
    try:
        yield
    except tf.errors.OpError as error:
        found = re.search(r"InputError: (.+)", str(error))
        if not found:
            raise
        raise InputError(found.group(1).strip()) from error
