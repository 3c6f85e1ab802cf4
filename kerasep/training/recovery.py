"""Recovery from a failed training step: a lower learning rate, or batches in parts."""

import keras

from kerasep.errors import InputError
from kerasep.system import logs
from kerasep.training.run_state import MOST_HALVINGS, RunState

log = logs.logger(__name__)


class NotFiniteError(ArithmeticError):
    """A loss or a weight is not a finite number."""


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Return whether an error, or one of its causes, is a backend's out-of-memory error."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        # By name: TensorFlow's ResourceExhaustedError, PyTorch's OutOfMemoryError.
        names = {kind.__name__ for kind in type(error).__mro__}
        text = str(error)
        if "No space left" not in text and (  # TensorFlow's error for a full disk
            names & {"ResourceExhaustedError", "OutOfMemoryError", "MemoryError"}
            or (isinstance(error, RuntimeError) and "RESOURCE_EXHAUSTED" in text)  # JAX
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def halve_rate(state: RunState, reason: str) -> None:
    """Halve the learning rate, or raise `InputError` if that was done too often."""
    if state.halvings == MOST_HALVINGS:
        raise InputError(
            f"received {reason}, also with the learning rate halved {MOST_HALVINGS} times: lower "
            f"the learning rate or the clipping norm, and choose another folder"
        )
    state.halve_rate()
    log.warning(
        "%s: back to epoch %d, batch %d, with the learning rate halved",
        reason, state.epoch + 1, state.step + 1,
    )  # fmt: skip


def divide_batches(state: RunState, devices: int) -> None:
    """Divide each batch into more parts, or raise `InputError` if it cannot be divided."""
    state.divide_batches(smallest_divisor(state.batch_size // (state.parts * devices)))
    check_share(state, devices)
    log.warning(
        "out of memory: back to epoch %d, batch %d, with each batch of %d divided into %d parts",
        state.epoch + 1, state.step + 1, state.batch_size, state.parts,
    )  # fmt: skip


def smallest_divisor(crops: int) -> int:
    """Return the smallest number of equal parts that a device's share of a batch divides into."""
    for divisor in range(2, crops + 1):
        if crops % divisor == 0:
            return divisor
    raise InputError(
        "out of memory with a single crop on a device: lower crop_seconds, or choose a smaller "
        "model"
    )


def check_share(state: RunState, devices: int) -> None:
    """Raise `InputError` unless batches, or their parts, can be spread evenly over the devices."""
    share = state.batch_size // state.parts
    if state.parts > 1 and devices > 1 and keras.backend.backend() == "tensorflow":
        raise InputError(
            f"out of memory for batches of {state.batch_size} crops on {devices} devices, where "
            f"Keras cannot divide batches: lower batch_size, or set KERAS_BACKEND=jax"
        )
    if share % devices:
        raise InputError(
            f"received batches of {share} crops for {devices} devices, expected a multiple: change "
            f"batch_size, or the number of devices"
        )
