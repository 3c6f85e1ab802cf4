"""The trainer's side of the data service: receive batches of its workers in order."""

import collections
import contextlib
import heapq
import socket
import threading
import time

import tensorflow as tf

from kerasep.data.sampling.buffers import Buffers
from kerasep.data.service import jobs, wire
from kerasep.data.service.dispatcher import listed
from kerasep.errors import InputError
from kerasep.system import logs

_CONNECTIONS = 2  # to each worker: it prepares one batch while it sends another
_LOOK_SECONDS = 5.0  # between two looks for more workers
_PATIENCE = 60.0  # seconds without any worker
_LONGEST_BATCH = 600.0  # seconds until a worker counts as dead
_MOST_LOSSES = 5  # workers that end over the same batch

log = logs.logger(__name__)


def batches(job, specs, first, address):
    """Build a dataset of batches that the workers of a data service make.

    They come in the order of the pipeline, each exactly once: if a worker ends, another one makes
    its batch.
    """
    packed, steps = jobs.pack(job), job["steps"]
    if not listed(address):
        raise InputError(f"{address} has no workers: start some by kerasep data serve --dispatcher")
    shapes = [tuple(spec.shape) for spec in specs]

    def received():
        return _Receiver(address, packed, steps, shapes, first).batches()

    number = tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(received, output_signature=(number, number, *specs))
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return dataset.apply(endless).prefetch(1)


class _Receiver:
    """Requests batches from workers in threads, a few ahead, and sorts them."""

    def __init__(self, address, packed, steps, shapes, first):
        self.address, self.packed, self.steps, self.shapes = address, packed, steps, shapes
        self.buffers, self.changed = Buffers(), threading.Condition()
        self.next_asked = self.next_given = first
        self.lost, self.losses = [], collections.Counter()
        self.arrays, self.error = {}, None
        self.workers, self.connections, self.closed = [], set(), False
        self.ready, self.heard = 0, time.monotonic()

    def batches(self):
        """Yield (epoch, step, *arrays), without an end."""
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            while True:
                arrays = self._next()
                epoch, step = divmod(self.next_given - 1, self.steps)
                yield epoch, step, *arrays
                del arrays  # so that its memory is free for the next
        finally:
            with self.changed:
                self.closed = True
                self.changed.notify_all()
                for connection in self.connections:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)

    def _next(self):
        with self.changed:
            while self.next_given not in self.arrays:
                if self.error:
                    raise self.error
                if not self.ready and time.monotonic() - self.heard > _PATIENCE:
                    raise InputError(
                        f"no worker of {self.address} answers for {_PATIENCE:.0f} s: start kerasep "
                        "data serve there, then resume"
                    )
                self.changed.wait(1.0)
            self.next_given += 1
            self.changed.notify_all()
            return self.arrays.pop(self.next_given - 1)

    def _watch(self):
        """Start threads for the workers, and for those that join later."""
        while not self.closed:
            with contextlib.suppress(InputError):  # those that are known may go on without it
                known, self.workers = set(self.workers), listed(self.address)
                for worker in set(self.workers) - known:
                    one_at_a_time = threading.Lock()
                    for _ in range(_CONNECTIONS):
                        arguments = (worker, one_at_a_time)
                        threading.Thread(
                            target=self._keep_asking, args=arguments, daemon=True
                        ).start()
            with self.changed:
                self.changed.wait_for(lambda: self.closed, _LOOK_SECONDS)

    def _keep_asking(self, worker, one_at_a_time):
        """Request batches from a worker until it is no longer listed."""
        while not self.closed and worker in self.workers:
            try:
                with self._connected(worker, one_at_a_time) as connection:
                    while (number := self._claim()) is not None:
                        self._ask(connection, number)
            except (OSError, EOFError):
                time.sleep(0.5)
            except ValueError as error:
                if not isinstance(error, InputError):
                    error = InputError(f"worker {worker} sent {error}")
                self._fail(error)

    @contextlib.contextmanager
    def _connected(self, worker, one_at_a_time):
        with wire.connect(worker) as connection:
            with self.changed:
                if self.closed:
                    raise EOFError
                self.connections.add(connection)
            try:
                connection.settimeout(_LONGEST_BATCH)
                with one_at_a_time:  # so that the worker opens its files once
                    wire.send(connection, self.packed)
                    wire.reply(connection)
                with self.changed:
                    self.ready += 1
                try:
                    yield connection
                finally:
                    with self.changed:
                        self.ready, self.heard = self.ready - 1, time.monotonic()
            finally:
                with self.changed:
                    self.connections.remove(connection)

    def _claim(self):
        """Wait for room, and return the number of the next batch to request; None at the end."""
        with self.changed:
            while not self.closed and not self.error:
                if self.lost:
                    return heapq.heappop(self.lost)
                if self.next_asked - self.next_given < _CONNECTIONS * max(1, len(self.workers)):
                    self.next_asked += 1
                    return self.next_asked - 1
                self.changed.wait()
        return None

    def _ask(self, connection, number):
        epoch, step = divmod(number, self.steps)
        try:
            wire.send(connection, {"epoch": epoch, "step": step})
            arrays = wire.receive_arrays(connection, self.shapes, self.buffers.take)
        except (OSError, EOFError) as error:
            with self.changed:
                self.losses[number] += 1
                heapq.heappush(self.lost, number)
                self.changed.notify_all()
            if self.losses[number] == _MOST_LOSSES:
                self._fail(
                    InputError(
                        f"{_MOST_LOSSES} workers of {self.address} ended over step {step} of epoch "
                        f"{epoch} ({error}): see their log, and check the recordings"
                    )
                )
            raise
        with self.changed:
            self.arrays[number] = arrays
            self.changed.notify_all()

    def _fail(self, error):
        with self.changed:
            self.error = self.error or error
            self.changed.notify_all()
