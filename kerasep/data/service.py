"""Batches made on other machines: pipelines over the workers of a tf.data service."""

import functools
import io
import os
import pathlib
import pickle
import re
import socket
from types import SimpleNamespace
from typing import NamedTuple

import tensorflow as tf

from kerasep import __version__
from kerasep.data.reader import Reader
from kerasep.errors import InputError

# TensorFlow names the Python functions of a process in the order in which it meets them. In a
# worker, which meets `answer` first, that is its name, and a graph made elsewhere can call it.
TOKEN = "pyfunc_0"
# What a job holds beside classes of kerasep.data; NumPy 1 has another name for one of them.
_OTHERS = {
    ("builtins", "dict"),
    ("builtins", "list"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("pathlib", "Path"),
    ("types", "SimpleNamespace"),
}
_RUN = 8  # drawing an epoch's crops costs more than reading one batch of them
_ADDRESS = re.compile(r"(?:grpc://)?(?P<host>[^/:\s]+|\[[^\]]+\]):(?P<port>\d+)")


def distributed(dataset, address):
    """Run a tf.data pipeline on the workers of a tf.data service.

    What was built up to here runs there, what follows runs in this process. The workers share the
    elements of the source among them (dynamic sharding): they come in no promised order, each *at
    most once*. A worker that is killed takes along what it was working on, a few elements; the
    others go on. A pass over a finite dataset ends once every worker that had a part in it has said
    so: `kerasep data serve` therefore starts a killed one again.

    Args:
        dataset: a `tf.data.Dataset` of TensorFlow's own operations, such as one that reads shards,
            on files that the workers find under the same names.
        address: of the dispatcher, as `kerasep data serve` says it: `grpc://HOST:PORT`.

    Returns:
        A `tf.data.Dataset` of the same elements.

    Raises:
        InputError: for an address that nobody answers at, or a pipeline with Python functions in
            it, which stay in the process that made them.

    Example:
    ```python
    import tensorflow as tf
    from kerasep import data

    servers = tf.data.experimental.service
    dispatcher = servers.DispatchServer()
    address = dispatcher.target  # or what kerasep data serve says
    worker = servers.WorkerServer(servers.WorkerConfig(address.removeprefix("grpc://")))
    squares = tf.data.Dataset.range(10).map(lambda number: number**2)
    elsewhere = data.distributed(squares, address)
    assert sorted(elsewhere.as_numpy_iterator()) == [number**2 for number in range(10)]
    ```
    """
    functions = _python_functions(dataset)
    if functions:
        raise InputError(
            f"received a dataset with Python functions in it ({', '.join(functions)}), which stay "
            "in this process: give data_service to kerasep.data.waveforms or spectrograms, or read "
            "prepared shards (kerasep prepare)"
        )
    return _distribute(dataset, address)


class Job(NamedTuple):
    """What a worker must know to make batches: the arguments of `kerasep.data.reader.Reader`."""

    plan: object
    samples: int
    model: object
    effects: object
    threads: int | None
    batch_size: int
    steps: int


def live_batches(job, first, address):
    """Have the workers read batches of a plan, which travels to them with its tracks.

    Args:
        job: a `Job`.
        first: how many batches went before, all epochs together.
        address: of the dispatcher.

    Returns:
        An endless `tf.data.Dataset` of (epoch, step, mixture, sources).

    Raises:
        InputError: as `distributed`, or for a job that cannot travel.
    """
    model = job.model
    signal = SimpleNamespace(
        sources=tuple(model.sources), sample_rate=model.sample_rate, channels=model.channels
    )
    try:
        packed = _packed(job._replace(model=signal))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"received a pipeline that cannot travel to the workers of a data service: {error}; "
            "use functions and classes of modules that they can import"
        ) from error
    shape = (job.batch_size, job.samples, model.channels)
    all_shape = (*shape, len(model.sources))

    def batch(number):
        mixture, sources = tf.raw_ops.PyFuncStateless(
            input=[packed, number], token=TOKEN, Tout=[tf.float32, tf.float32]
        )
        place = number // job.steps, number % job.steps
        return *place, tf.ensure_shape(mixture, shape), tf.ensure_shape(sources, all_shape)

    dataset = tf.data.Dataset.range(first, tf.int64.max).map(batch, num_parallel_calls=2)
    return _endless(_distribute(dataset, address))


def prepared_batches(steps, epoch_of_batches, place, address):
    """Have the workers read batches from prepared shards, a run of neighbouring ones at a time.

    Args:
        steps: batches in an epoch.
        epoch_of_batches: see `kerasep.data.prepared.batches`.
        place: epoch and step to begin at, or a few steps before.
        address: of the dispatcher.

    Returns:
        An endless `tf.data.Dataset`, epoch after epoch.

    Raises:
        InputError: as `distributed`.
    """
    runs = -(-steps // _RUN)
    epoch, step = place

    def run(number):
        return epoch_of_batches(number // runs, number % runs * _RUN).take(_RUN)

    numbers = tf.data.Dataset.range(epoch * runs + step // _RUN, tf.int64.max)
    return _endless(distributed(numbers.flat_map(run).prefetch(1), address))


def answer(packed, number):
    """Read one batch: what a worker is asked for by `live_batches`.

    Args:
        packed: a `Job`, as `live_batches` packs it.
        number: of the batch, all epochs together.

    Returns:
        Mixtures and sources.
    """
    reader, size, steps = _unpacked(packed)
    epoch, step = divmod(int(number), steps)
    return reader.batch(epoch, step * size, (step + 1) * size)


def register():
    """Make `answer` known to TensorFlow, in a process that has made no pipeline yet.

    Raises:
        RuntimeError: the function came to have another name than graphs call it by.
    """
    signature = [tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64)]

    @tf.function(input_signature=signature, autograph=False)
    def traced(packed, number):
        return tf.numpy_function(answer, (packed, number), (tf.float32, tf.float32), stateful=False)

    graph = traced.get_concrete_function().graph
    names = [o.get_attr("token") for o in graph.get_operations() if o.type == "PyFuncStateless"]
    if names != [TOKEN.encode()]:
        raise RuntimeError(f"TensorFlow called the function {names}, expected {TOKEN}")
    return traced  # TensorFlow holds the function only as long as the graph


def _packed(job):
    buffer = io.BytesIO()
    _Pickler(buffer).dump((__version__, job))
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    """Makes names of files absolute, as workers may have begun elsewhere, and settings plain.

    The lists and dicts of a model's recipe are of Keras' own kinds, which do not travel.
    """

    def reducer_override(self, item):
        """Say how an object is made anew."""
        if isinstance(item, pathlib.Path):
            return pathlib.Path, (os.path.abspath(item),)
        for plain in (dict, list):
            if isinstance(item, plain) and type(item) is not plain:
                return plain, (plain(item),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Finds what a job is made of and nothing else: who reaches the port must not run code here."""

    def find_class(self, module, name):
        ours = module.startswith("kerasep.data.") and "." not in name
        if ours or (module, name) in _OTHERS:
            found = super().find_class(module, name)
            if not ours or (isinstance(found, type) and found.__module__ == module):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a job")


@functools.lru_cache(maxsize=4)
def _unpacked(packed):
    try:
        version, job = _Unpickler(io.BytesIO(packed)).load()
    except pickle.UnpicklingError as error:
        raise InputError(
            f"received what no kerasep of this release sends: {error}: install the same release "
            "for training and on the workers"
        ) from error
    if version != __version__:
        raise InputError(
            f"received batches of kerasep {version} to make, but the workers have {__version__}: "
            "install the same"
        )
    *arguments, batch_size, steps = job
    return Reader(*arguments), batch_size, steps


def host_and_port(address):
    """Check that somebody answers at an address.

    Args:
        address: "grpc://HOST:PORT" or "HOST:PORT".

    Returns:
        "HOST:PORT".

    Raises:
        InputError: for another form, or when nobody answers.
    """
    match = _ADDRESS.fullmatch(address)
    if not match:
        raise InputError(f"received data service {address!r}, expected grpc://HOST:PORT")
    try:
        socket.create_connection((match["host"].strip("[]"), int(match["port"])), 10).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"nobody answers at {address} ({error}): start kerasep data serve there"
        ) from error
    return f"{match['host']}:{match['port']}"


def _distribute(dataset, address):
    return dataset.apply(
        tf.data.experimental.service.distribute(
            tf.data.experimental.service.ShardingPolicy.DYNAMIC,
            f"grpc://{host_and_port(address)}",
            compression=None,  # audio hardly becomes smaller
        )
    )


def _endless(dataset):
    return dataset.apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    ).prefetch(1)


def _python_functions(dataset):
    """List the kinds of operations in a pipeline that call Python."""
    graph = tf.compat.v1.GraphDef()
    variant = tf.data.experimental.to_variant(dataset)
    graph.ParseFromString(tf.raw_ops.DatasetToGraphV2(input_dataset=variant).numpy())
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return sorted({node.op for node in nodes if "PyFunc" in node.op})
