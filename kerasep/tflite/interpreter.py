"""Running the bytes of a TFLite file, with ai-edge-litert alone."""

import os

from kerasep.errors import InputError
from kerasep.tflite.silence import quiet


class Interpreter:
    """One TFLite file from kerasep, ready to run its signatures.

    Args:
        content: bytes of the file.
        threads: how many to use. Default: as many as there are processors, at most 4.
        name: what to call the file in an error.

    Attributes:
        signatures: dict from a signature's name to two dicts, of its inputs and its outputs, from
            name to shape.

    Raises:
        InputError: without ai-edge-litert, or for a file that it refuses.
    """

    def __init__(self, content, threads=None, name="the model"):
        try:
            from ai_edge_litert import interpreter
        except ImportError as error:
            raise InputError(
                "received no ai-edge-litert, expected it to run .tflite files: "
                "pip install 'kerasep[edge]'"
            ) from error
        if threads is not None and threads < 1:
            raise InputError(f"received threads={threads}, expected at least 1")
        try:
            with quiet():
                self._interpreter = interpreter.Interpreter(
                    model_content=content, num_threads=threads or min(4, os.cpu_count() or 1)
                )
                self._interpreter.allocate_tensors()
                self._runners = {
                    name: self._interpreter.get_signature_runner(name)
                    for name in self._interpreter.get_signature_list()
                }
        except (ValueError, RuntimeError) as error:
            line = " ".join(str(error).split())[:200]
            raise InputError(f"received {name}, which TFLite cannot load: {line}") from error

        self.signatures = {
            name: (_shapes(runner.get_input_details()), _shapes(runner.get_output_details()))
            for name, runner in self._runners.items()
        }

    def __call__(self, signature, **inputs):
        """Run a signature on arrays by the names of its inputs; return a dict of arrays."""
        return self._runners[signature](**inputs)


def _shapes(details):
    return {name: tuple(int(n) for n in detail["shape"]) for name, detail in details.items()}
