"""Batches made on other machines: pipelines over the workers of a tf.data service."""

import copyreg
import functools
import io
import os
import pathlib
import pickle
import re
import socket
from types import SimpleNamespace

import tensorflow as tf

from kerasep import __version__
from kerasep.data.crops import Reader
from kerasep.errors import InputError

# TensorFlow names the Python functions of a process in the order in which it meets them. In a
# worker, which meets `answer` first, that is its name, and a graph made elsewhere can call it.
TOKEN = "pyfunc_0"
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

    squares = tf.data.Dataset.range(10).map(lambda number: number**2)
    with data.serving(workers=1) as service:
        elsewhere = data.distributed(squares, service.address)
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


def live_batches(plan, samples, model, batch_size, steps, first, address):
    """Have the workers read the batches of a plan, which travels to them with its tracks.

    Args:
        plan: a `kerasep.data.crops.TrainingPlan`.
        samples: length of a crop.
        model: anything with `sources`, `sample_rate` and `channels`.
        batch_size: crops in a batch.
        steps: batches in an epoch.
        first: batches that went before, all epochs together.
        address: of the dispatcher.

    Returns:
        An endless `tf.data.Dataset` of (mixture, sources), epoch after epoch.

    Raises:
        InputError: as `distributed`, or for a plan that cannot travel.
    """
    model = SimpleNamespace(
        sources=tuple(model.sources), sample_rate=model.sample_rate, channels=model.channels
    )
    try:
        job = _packed(__version__, plan, samples, model, batch_size, steps)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"received a pipeline that cannot travel to the workers of a data service: {error}; "
            "use functions and classes of modules that they can import"
        ) from error
    shape = (batch_size, samples, model.channels)
    all_shape = (*shape, len(model.sources))

    def batch(number):
        mixture, sources = tf.raw_ops.PyFuncStateless(
            input=[job, number], token=TOKEN, Tout=[tf.float32, tf.float32]
        )
        return tf.ensure_shape(mixture, shape), tf.ensure_shape(sources, all_shape)

    numbers = tf.data.Dataset.range(first, tf.int64.max)
    dataset = numbers.map(batch, num_parallel_calls=2)
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return _distribute(dataset, address).apply(endless).prefetch(1)


def answer(job, number):
    """Read one batch: what a worker is asked for by `live_batches`.

    Args:
        job: bytes, as `live_batches` packs them.
        number: of the batch, all epochs together.

    Returns:
        Mixtures and sources.
    """
    reader, batch_size, steps = _unpacked(job)
    epoch, step = divmod(int(number), steps)
    return reader.batch(epoch, step * batch_size, (step + 1) * batch_size)


def register():
    """Make `answer` known to TensorFlow, in a process that has made no pipeline yet.

    Raises:
        RuntimeError: the function came to have another name than graphs call it by.
    """
    signature = [tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64)]

    @tf.function(input_signature=signature, autograph=False)
    def traced(job, number):
        return tf.numpy_function(answer, (job, number), (tf.float32, tf.float32), stateful=False)

    graph = traced.get_concrete_function().graph
    names = [o.get_attr("token") for o in graph.get_operations() if o.type == "PyFuncStateless"]
    if names != [TOKEN.encode()]:
        raise RuntimeError(f"TensorFlow called the function {names}, expected {TOKEN}")
    return traced  # TensorFlow holds the function only as long as the graph


def _packed(*job):
    """Pickle a job, with the absolute names of its files: workers may have begun elsewhere."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer)
    absolute = {type(pathlib.Path()): lambda path: (pathlib.Path, (os.path.abspath(path),))}
    pickler.dispatch_table = copyreg.dispatch_table | absolute
    pickler.dump(job)
    return buffer.getvalue()


@functools.lru_cache(maxsize=4)
def _unpacked(job):
    version, plan, samples, model, batch_size, steps = pickle.loads(job)
    if version != __version__:
        raise InputError(
            f"received batches of kerasep {version} to make, but the workers have {__version__}: "
            "install the same"
        )
    return Reader(plan, samples, model), batch_size, steps


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


def _python_functions(dataset):
    """List the kinds of operations in a pipeline that call Python."""
    graph = tf.compat.v1.GraphDef()
    variant = tf.data.experimental.to_variant(dataset)
    graph.ParseFromString(tf.raw_ops.DatasetToGraphV2(input_dataset=variant).numpy())
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return sorted({node.op for node in nodes if "PyFunc" in node.op})
