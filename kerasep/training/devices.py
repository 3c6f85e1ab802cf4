"""Several devices and hosts: which there are, and how a batch is spread over them."""

import contextlib
import io
import os

import keras

from kerasep.errors import InputError

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"


def join_hosts():
    """Join the processes on other hosts where the environment names them; before anything else.

    They are named by the variables of `keras.distribution.initialize`: the first one's address in
    KERAS_DISTRIBUTION_JOB_ADDRESSES, KERAS_DISTRIBUTION_NUM_PROCESSES, and in
    KERAS_DISTRIBUTION_PROCESS_ID each one's own number.

    Returns:
        Whether there are others.

    Raises:
        InputError: on a backend other than JAX.

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

    with contextlib.suppress(AttributeError):  # later releases need no telling
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    keras.distribution.initialize()
    return True


def has_accelerator():
    """Tell whether there is a GPU or a TPU to train on.

    Returns:
        True or False.

    Example:
    >>> isinstance(has_accelerator(), bool)
    True
    """
    return any(
        not name.startswith("cpu") for name in map(str.lower, keras.distribution.list_devices())
    )


def process():
    """Tell which process this is, and of how many.

    Returns:
        Number from 0 on, and count: (0, 1) where there are no other hosts.

    Example:
    >>> process()
    (0, 1)
    """
    if keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def count(devices):
    """Tell how many devices a setting stands for.

    Args:
        devices: "all", or a number.

    Returns:
        That number, those of other hosts included.

    Raises:
        InputError: for anything else, more than there are, fewer than all where there are several
            hosts, or several on a backend that trains on one.

    Example:
    >>> count(1)
    1
    """
    _, processes = process()
    backend = keras.backend.backend()
    if devices != "all" and not (isinstance(devices, int) and devices >= 1):
        raise InputError(f"received devices={devices!r}, expected 'all' or a number from 1 on")
    if backend == "torch":
        if devices not in (1, "all"):
            raise InputError(
                f"received devices={devices} with KERAS_BACKEND=torch, expected 1: several are "
                f"for KERAS_BACKEND=jax or tensorflow"
            )
        return 1
    there = len(keras.distribution.list_devices())
    if processes > 1 and devices not in ("all", there):
        raise InputError(
            f"received devices={devices} with {processes} processes, expected 'all': every one "
            f"takes part"
        )
    if devices == "all":
        return there
    if devices > there:
        raise InputError(
            f"received devices={devices}, but there are {there}: "
            f"{', '.join(keras.distribution.list_devices())}"
        )
    return devices


def spread(number):
    """Make models that are built, and trained, under it spread each batch over devices.

    Args:
        number: of devices; with 1 nothing changes.

    Returns:
        A context manager.
    """
    if number == 1:
        return contextlib.nullcontext()
    names = keras.distribution.list_devices()[:number]
    if keras.backend.backend() == "jax":
        spread_out = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
        return spread_out.scope()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names).scope()


def replica(model):
    """Copy a model to the devices that it is spread over; to be called within `spread`.

    Args:
        model: a model of the zoo.

    Returns:
        The copy, whose batch normalisation sees the whole batch, as it would on one device.
    """
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    model.share_knowledge(copy)
    if keras.backend.backend() == "tensorflow":  # on JAX it is so of itself
        for layer in copy._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True
    return copy


def agreed(make, read):
    """Make something in the first process, for all of them.

    Args:
        make: called in the first process alone; returns what has `write(file)`.
        read: reads that from an open file again.

    Returns:
        The same in every process.

    Raises:
        InputError: in every process, where the first one raised it.

    Example:
    >>> agreed(lambda: "as it is", read=None)
    'as it is'
    """
    number, processes = process()
    if processes == 1:
        return make()
    buffer, failure = io.BytesIO(), ""
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
    return made if number == 0 else read(io.BytesIO(sent))


def _from_first(payload):
    """Send bytes from the first process to the others."""
    import numpy as np
    from jax.experimental import multihost_utils

    size = int(multihost_utils.broadcast_one_to_all(np.int64(len(payload))))
    padded = np.frombuffer(payload.ljust(size, b"\0")[:size], "uint8")
    return np.asarray(multihost_utils.broadcast_one_to_all(padded)).astype("uint8").tobytes()
