"""Devices and hosts, and how a batch is spread over them."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.keras_private import flatten_layers

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"


def join_hosts() -> bool:
    """Join the processes on other hosts that the environment names.

    Call it before anything else. It reads the variables of `keras.distribution.initialize`:
    KERAS_DISTRIBUTION_JOB_ADDRESSES (the address of the first process),
    KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID (this process's number).

    Returns:
        Whether there are other processes.

    Raises:
        InputError: the backend is not JAX.

    Example:
    >>> join_hosts()
    False
    """
    if ADDRESSES not in os.environ:
        return False
    if keras.backend.backend() != "jax":
        raise InputError(
            f"received {ADDRESSES} with KERAS_BACKEND={keras.backend.backend()}, expected jax: no "
            f"other backend trains on several hosts"
        )
    import jax

    with contextlib.suppress(AttributeError):  # newer releases choose it themselves
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    keras.distribution.initialize()
    return True


def has_accelerator() -> bool:
    """Return whether Keras sees a GPU or a TPU."""
    return not all(name.lower().startswith("cpu") for name in keras.distribution.list_devices())


def has_tensorflow_gpu() -> bool:
    """Return whether the backend is TensorFlow, and TensorFlow sees a GPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def process() -> tuple[int, int]:
    """Return the number of this process, from 0, and the number of processes on all hosts."""
    if keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def count(devices: int | str) -> int:
    """Validate a number of devices.

    Args:
        devices: a number, or "all".

    Returns:
        The number, including the devices of other hosts.

    Raises:
        InputError: the number is invalid or larger than there are devices, less than all with
            several hosts, or more than one on PyTorch.

    Example:
    >>> count(1)
    1
    """
    if devices != "all" and not (isinstance(devices, int) and devices >= 1):
        raise InputError(f"received devices={devices!r}, expected 'all' or a number from 1 on")
    if keras.backend.backend() == "torch":
        if devices not in (1, "all"):
            raise InputError(
                f"received devices={devices} with KERAS_BACKEND=torch, expected 1: several need "
                f"KERAS_BACKEND=jax or tensorflow"
            )
        return 1
    names = keras.distribution.list_devices()
    _, processes = process()
    if processes > 1 and devices not in ("all", len(names)):
        raise InputError(
            f"received devices={devices} with {processes} processes, expected 'all': each process "
            f"uses its devices"
        )
    number = len(names) if devices == "all" else int(devices)
    if number > len(names):
        raise InputError(
            f"received devices={devices}, but there are {len(names)}: {', '.join(names)}"
        )
    return number


def spread(number: int) -> contextlib.AbstractContextManager:
    """Return a context in which models are built for, and trained on, several devices."""
    if number == 1:
        return contextlib.nullcontext()
    names = keras.distribution.list_devices()[:number]
    if keras.backend.backend() == "jax":
        distribution = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
        return distribution.scope()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names).scope()


@contextlib.contextmanager
def clustered(model: keras.Model, devices: int) -> Iterator[None]:
    """Compile the operations around cuDNN's layers by XLA, on one GPU with TensorFlow.

    Keras compiles a whole step or nothing, and no step with such a layer.
    """
    whole = all(layer.supports_jit for layer in flatten_layers(model))
    if keras.backend.backend() != "tensorflow" or devices > 1 or whole:
        yield
        return
    import tensorflow as tf

    before = tf.config.optimizer.get_jit()
    tf.config.optimizer.set_jit("autoclustering")
    try:
        yield
    finally:
        tf.config.optimizer.set_jit(before or False)


def replica(model: keras.Model) -> keras.Model:
    """Copy a model to the devices of the `spread` context that it is called in.

    Batch normalisation sees the whole batch, as on one device.
    """
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    model.share_knowledge(copy)
    for layer in model.layers:
        if not layer.trainable:
            copy.get_layer(layer.name).trainable = False
    if keras.backend.backend() == "tensorflow":  # JAX does so by itself
        for layer in flatten_layers(copy):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True
    return copy


def agreed(make: Callable[[], Any], read: Callable[[io.BytesIO], Any] | None) -> Any:
    """Call `make` in the first process, and send its result, or `InputError`, to all others.

    The result has a method `write(file)`; `read(file)` is its inverse.
    """
    number, processes = process()
    if processes == 1:
        return make()
    buffer, failure, made = io.BytesIO(), "", None
    if number == 0:
        try:
            made = make()
            made.write(buffer)
        except InputError as error:
            failure = str(error)
    failure = _from_first(failure.encode()).decode()
    if failure:
        raise InputError(failure)
    sent = _from_first(buffer.getvalue())
    return read(io.BytesIO(sent)) if number and read else made


def _from_first(payload):
    """Send bytes from the first process to the others."""
    import numpy as np
    from jax.experimental import multihost_utils

    size = int(multihost_utils.broadcast_one_to_all(np.int64(len(payload))))
    padded = np.frombuffer(payload.ljust(size, b"\0")[:size], "uint8")
    return np.asarray(multihost_utils.broadcast_one_to_all(padded)).astype("uint8").tobytes()
