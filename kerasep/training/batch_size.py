"""The largest batch that fits."""

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system import memory
from kerasep.training.recovery import ran_out_of_memory
from kerasep.training.run_state import capture, restore

MOST = 256  # beyond it a batch no longer speeds training up, and a recipe's rate is far off
SHARE = 0.8  # of the free memory: the pipeline wants some too


def largest(model, example, limit, multiple=1):
    """Find the largest batch that fits, doubling it until a training step does not.

    A GPU says itself when its memory is full. On a CPU, where the system ends the process instead,
    a batch counts as too large when twice what the one before it took is more than most of the
    memory that was free. The steps are on random data, and leave no trace in the model.

    Args:
        model: a compiled model.
        example: shapes and types of (inputs, targets) for a batch, in nested tuples or dicts of
            what has `shape` and `dtype`; the first axis counts for nothing.
        limit: the batch is no larger than this, such as the crops in an epoch; nor than 256.
        multiple: the batch is so many times a power of two. Defaults to 1.

    Returns:
        The number of examples.

    Raises:
        InputError: when even the smallest does not fit.

    Example:
    ```python
    import keras
    from kerasep.training.batch_size import largest

    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    example = keras.KerasTensor((None, 8)), keras.KerasTensor((None, 1))
    assert largest(model, example, limit=20) == 16
    ```
    """
    model.optimizer.build(model.trainable_variables)
    before = capture(model)
    free, used = memory.free(), memory.used()
    limit = min(limit, MOST * multiple)
    size, fits = multiple, 0
    while size <= limit:
        try:
            model.train_on_batch(*_random(example, size))
        except Exception as error:
            if not ran_out_of_memory(error):
                raise
            break
        fits = size
        if 2 * (memory.peak() - used) > SHARE * free:
            break
        size *= 2
    restore(model, before)
    if not fits:
        raise InputError(
            f"received a batch size of 'auto', but {multiple} does not fit (limit {limit}): "
            f"lower crop_seconds, or take a smaller model"
        )
    return fits


def _random(example, size):
    """Draw a batch; what stands in it does not matter to memory."""
    rng = np.random.default_rng(0)

    def draw(spec):
        values = rng.standard_normal((size, *spec.shape[1:]), "float32")
        return values.astype(keras.backend.standardize_dtype(spec.dtype))

    return keras.tree.map_structure(draw, example)
