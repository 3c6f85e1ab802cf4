"""Arrays for batches that are reused: fresh memory costs more than filling it."""

import math
import sys
import threading

import numpy as np

_ALIGNMENT = 64  # bytes: TensorFlow takes such an array as it is, and copies any other


def _references(arrays):
    return [sys.getrefcount(array) for array in arrays]


_UNUSED = _references([np.empty(0)])[0]


class Buffers:
    """Arrays that are reused once nobody refers to them.

    A view refers to the memory that it shows, and TensorFlow to the array that it was given, until
    the last tensor of it is gone.
    """

    def __init__(self):
        self.memory, self.lock = [], threading.Lock()

    def take(self, shape):
        """Return a float32 array of arbitrary values."""
        size = 4 * math.prod(shape) + _ALIGNMENT
        with self.lock:
            for index, count in enumerate(_references(self.memory)):
                if count == _UNUSED and len(self.memory[index]) >= size:
                    memory = self.memory[index]
                    break
            else:
                memory = np.empty(size, "uint8")
                self.memory.append(memory)
            start = -memory.ctypes.data % _ALIGNMENT
            return memory[start : start + size - _ALIGNMENT].view("float32").reshape(shape)
