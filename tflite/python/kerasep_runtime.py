"""Separate audio with `.tflite` files from kerasep, without TensorFlow and Keras.

`Runtime`, `StreamRuntime` and `read_metadata` are those of `kerasep.tflite`, and `separate_file`
is that of `kerasep.separation`: the modules are copied from kerasep when this package is built.
"""

from kerasep_runtime.errors import InputError
from kerasep_runtime.separation.recordings import separate_file
from kerasep_runtime.tflite.format.metadata import read_metadata
from kerasep_runtime.tflite.runtime import Runtime
from kerasep_runtime.tflite.stream_runtime import StreamRuntime

__all__ = ["InputError", "Runtime", "StreamRuntime", "read_metadata", "separate_file"]
