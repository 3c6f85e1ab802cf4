"""Run the bytes of a TFLite file with ai-edge-litert."""

import os
import threading

import numpy as np

from kerasep.errors import InputError, installed_by
from kerasep.tflite.format.soundness import DAMAGE, check_graphs
from kerasep.tflite.silence import quiet


class Interpreter:
    """A TFLite file from kerasep, ready to run its signatures; threads take turns.

    `signatures` maps a name to a pair of dicts, inputs and outputs, from name to shape.
    """

    # An interpreter of TFLite has one set of tensors. One interpreter per thread would repeat the
    # memory of tensors and packed weights, and be no faster: a run has several threads of its own.

    def __init__(self, content, threads=None, name="the model"):
        with installed_by("kerasep[edge]"):
            from ai_edge_litert import interpreter
        if threads is not None and threads < 1:
            raise InputError(f"received threads={threads}, expected at least 1")
        try:
            check_graphs(content)
        except DAMAGE as error:
            raise InputError(
                f"received {name}, a TFLite file that is damaged: export again"
            ) from error
        try:
            with quiet(pass_on=True):
                self._interpreter = interpreter.Interpreter(
                    model_content=content, num_threads=threads or min(4, os.cpu_count() or 1)
                )
                self._interpreter.allocate_tensors()
                self._runners = {
                    key: self._interpreter.get_signature_runner(key)
                    for key in self._interpreter.get_signature_list()
                }
                self._details = {
                    key: (runner.get_input_details(), runner.get_output_details())
                    for key, runner in self._runners.items()
                }
        except (ValueError, RuntimeError) as error:
            raise InputError(
                f"received {name}, which TFLite cannot load: {_one_line(error)}"
            ) from error

        self.name = name
        self._lock = threading.Lock()
        self.signatures = {
            key: tuple(map(_shapes, details)) for key, details in self._details.items()
        }

    def __call__(self, signature, **inputs):
        """Run a signature on arrays by the names of its inputs; return a dict of arrays."""
        with self._lock:
            try:
                return self._runners[signature](**inputs)
            except (ValueError, RuntimeError) as error:
                line = _one_line(error)
                raise InputError(
                    f"received {self.name}, which TFLite cannot run: {line}"
                ) from error

    def finite(self, result):
        """Return a result, or raise InputError if it has NaN or infinity."""
        if not np.isfinite(result).all():
            raise InputError(
                f"received {self.name}, which computes NaN or infinite values, expected finite "
                f"ones: check the model's weights, and export again"
            )
        return result

    def expect(self, signature, inputs, outputs):
        """Validate a signature's tensors against dicts from name to shape; None is any size."""
        if signature not in self._details:
            raise InputError(
                f"received {self.name}, which lacks the signature {signature}: export again"
            )
        for details, expected in zip(self._details[signature], (inputs, outputs), strict=True):
            for key in [*expected, *(details.keys() - expected.keys())]:
                if not _matches(details.get(key), expected.get(key)):
                    raise InputError(
                        f"received {self.name}, whose tensor {key} of signature {signature} is not "
                        f"as its metadata says: expected {expected.get(key, 'none')}: export again"
                    )


def _one_line(error):
    return " ".join(str(error).split())[:200]


def _matches(details, expected):
    if details is None or expected is None or details["dtype"] != np.float32:
        return False
    shape = _shape(details)
    return len(shape) == len(expected) and all(
        size is None or size == received for received, size in zip(shape, expected, strict=True)
    )


def _shape(details):
    return tuple(int(n) for n in details["shape"])


def _shapes(details):
    return {name: _shape(detail) for name, detail in details.items()}
