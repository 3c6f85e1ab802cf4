"""What can go wrong in a training step, and is no reason to give up."""

from kerasep.errors import InputError


class NotFiniteError(ArithmeticError):
    """A loss or weights that are no longer finite numbers.

    Args:
        what: what was found, with its value, and where.
    """


def ran_out_of_memory(error):
    """Tell whether an error is a backend's complaint that the device has no more memory.

    Backends raise classes of their own, which are known here by name: TensorFlow's
    ResourceExhaustedError, PyTorch's OutOfMemoryError, and JAX's runtime error by its status.

    Args:
        error: any exception; those that it came from are looked at too.

    Returns:
        True or False. A full disk, which TensorFlow reports in the same class, is no such thing.

    Example:
    >>> ran_out_of_memory(RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"))
    True
    >>> ran_out_of_memory(ValueError("no"))
    False
    """
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        names = {kind.__name__ for kind in type(error).__mro__}
        text = str(error)
        if "No space left" not in text and (
            names & {"ResourceExhaustedError", "OutOfMemoryError", "MemoryError"}
            or (isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in text)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def smaller_parts(batch_size, parts, devices):
    """Choose in how many parts to take a batch that did not fit.

    Args:
        batch_size: crops in a batch.
        parts: in how many it was taken.
        devices: over how many each part is spread.

    Returns:
        By what number to divide each part: 2 wherever possible, else the next that leaves no rest.

    Raises:
        InputError: where a part is a single crop for each device already.

    Example:
    >>> smaller_parts(16, parts=2, devices=1), smaller_parts(15, parts=1, devices=1)
    (2, 3)
    """
    share = batch_size // (parts * devices)
    for divisor in range(2, share + 1):
        if share % divisor == 0:
            return divisor
    raise InputError(
        "out of memory with a single crop on a device: lower crop_seconds, or take a smaller model"
    )
