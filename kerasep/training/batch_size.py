"""The largest batch that fits into memory, for `batch_size="auto"`."""

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system import memory
from kerasep.training.recovery import ran_out_of_memory
from kerasep.training.run_state import capture, restore

MOST = 256  # larger batches train no faster, and need another learning rate than the recipe's
SHARE = 0.8  # of the free memory: the input pipeline needs the rest


def largest(model: keras.Model, example, limit: int) -> int:
    """Double the batch until a training step on random data does not fit; return the last size.

    `example` is (inputs, targets) of anything with `shape` and `dtype`. Sizes above `limit` are not
    tried. The model is left as it was.
    """
    model.optimizer.build(model.trainable_variables)
    before = capture(model)
    free, used = memory.free(), memory.used()
    size, fits = 1, 0
    while size <= min(limit, MOST):
        try:
            model.train_on_batch(*_random(example, size))
        except Exception as error:  # each backend has its own class
            if not ran_out_of_memory(error):
                raise
            break
        fits = size
        # On a CPU the system would kill the process: stop if twice the memory might not be there.
        if 2 * (memory.peak() - used) > SHARE * free:
            break
        size *= 2
    restore(model, before)
    if not fits:
        raise InputError(
            f"received batch_size='auto', but no batch fits (limit {limit}): lower crop_seconds, "
            f"or choose a smaller model"
        )
    return fits


def _random(example, size):
    rng = np.random.default_rng(0)

    def draw(spec):
        values = rng.standard_normal((size, *spec.shape[1:]), "float32")
        return values.astype(keras.backend.standardize_dtype(spec.dtype))

    return keras.tree.map_structure(draw, example)
