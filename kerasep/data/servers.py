"""The processes of a tf.data service: a dispatcher and workers, kept running."""

import contextlib
import logging
import socket
import subprocess
import sys
import threading
from typing import NamedTuple

import tensorflow as tf

from kerasep.data.service import host_and_port
from kerasep.errors import InputError

_PATIENCE = 5.0

log = logging.getLogger(__name__)


class Service(NamedTuple):
    """A running tf.data service.

    Attributes:
        address: of its dispatcher, `grpc://HOST:PORT`.
        workers: the `Worker`s that this process keeps running.
    """

    address: str
    workers: tuple


@contextlib.contextmanager
def serving(*, port=0, workers=2, host="localhost", dispatcher=None):
    """Run a tf.data service, or more workers for one, as long as the context lasts.

    Workers are processes of their own. One that is killed is started again at the same port, where
    its trainers look for it.

    Anybody who reaches a port can run TensorFlow graphs and Python with the rights of the user who
    opened it: open them in closed networks only. TensorFlow listens on all of a machine's networks.

    Args:
        port: where the dispatcher listens; the workers take the ports that follow. With
            `dispatcher` the first worker takes this one. Defaults to 0: any that are free.
        workers: how many. Defaults to 2.
        host: name under which trainers and other workers reach this machine. Defaults to
            "localhost", for those on the same machine.
        dispatcher: "HOST:PORT" of a dispatcher that the workers join, on another machine. Defaults
            to one of their own.

    Yields:
        A `Service`.

    Raises:
        InputError: for a port that is taken, or a dispatcher that nobody answers for.

    Example:
    ```python
    from types import SimpleNamespace
    from kerasep import data

    data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(sources=("vocals", "bass"), sample_rate=16000, channels=1)
    with data.serving(workers=1) as service:
        batches = data.waveforms(
            "songs", model, batch_size=2, crop_seconds=1.0, data_service=service.address
        )
        for mixture, sources in batches.take(1):
            assert mixture.shape == (2, 16000, 1) and sources.shape == (2, 16000, 1, 2)
    ```
    """
    server = None
    if dispatcher is None:
        config = tf.data.experimental.service.DispatcherConfig(port=port)
        try:
            server = tf.data.experimental.service.DispatchServer(config)
        except (tf.errors.OpError, RuntimeError) as error:
            raise InputError(f"cannot listen on port {port}: {error}") from error
        own = int(server.target.rpartition(":")[2])
        dispatcher, first = f"{host}:{own}", port and port + 1
    else:
        dispatcher, first = host_and_port(dispatcher), port
    ports = range(first, first + workers) if first else _free_ports(workers)
    service = Service(f"grpc://{dispatcher}", tuple(Worker(dispatcher, host, p) for p in ports))
    closing, starting = threading.Event(), threading.Lock()
    keeper = threading.Thread(target=_keep, args=(service.workers, closing, starting))
    try:
        for worker in service.workers:
            worker.start()
        for worker in service.workers:
            worker.wait_until_ready()
        keeper.start()
        yield service
    finally:
        with starting:
            closing.set()
        for worker in service.workers:
            worker.ask_to_end()
        for worker in service.workers:
            worker.end()
        if keeper.ident:
            keeper.join()
        for worker in service.workers:
            worker.close()
        del server


class Worker:
    """One worker's process.

    Args:
        dispatcher: "HOST:PORT".
        host: name under which trainers reach it.
        port: where it listens.
    """

    def __init__(self, dispatcher, host, port):
        self.address = f"{host}:{port}"
        self.command = [sys.executable, "-m", "kerasep.data.worker", dispatcher, host, str(port)]
        self.process = None

    def start(self):
        """Start the process."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self):
        """Wait until it has joined the dispatcher.

        Raises:
            InputError: it ended instead.
        """
        line = self.process.stdout.readline().strip()
        if line != "ready":
            reason = line or f"it ended with status {self.process.wait()}"
            raise InputError(f"worker {self.address} did not start: {reason}")

    def ask_to_end(self):
        """Close what the process reads: it ends with that."""
        if self.process is not None:
            self.process.stdin.close()

    def end(self):
        """See that the process ends."""
        if self.process is None:
            return
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        """Close what led to the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()


def _keep(workers, closing, starting):
    """Start workers again that have ended."""
    while not closing.wait(0.5):
        for worker in workers:
            status = worker.process.poll()
            if status is None:
                continue
            with starting:
                if closing.is_set():
                    return
                worker.close()
                worker.start()
                log.warning(
                    "worker %s ended (status %s): started again, process %d",
                    worker.address,
                    status,
                    worker.process.pid,
                )
            try:
                worker.wait_until_ready()
            except InputError as error:
                if not closing.is_set():
                    log.warning("%s", error)
                closing.wait(_PATIENCE)


def _free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
