"""The processes of a data service: a dispatcher, and workers that are restarted if they end."""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import NamedTuple

from kerasep.data.service.dispatcher import dispatching, joined, listed
from kerasep.data.service.listening import address_of, listen
from kerasep.errors import InputError
from kerasep.system import logs

_PATIENCE = 5.0

log = logs.logger(__name__)


class Service(NamedTuple):
    """A running data service: its address `tcp://HOST:PORT`, and the workers of this process."""

    address: str
    workers: tuple


@contextlib.contextmanager
def serving(
    *, port: int = 0, workers: int = 2, host: str = "127.0.0.1", dispatcher: str | None = None
) -> Iterator[Service]:
    """Run a data service, or more workers of one, while the context lasts.

    Workers are separate processes. One that ends is restarted at the same port, and its trainers
    reconnect.

    There are no passwords. Whoever can reach a worker can make it read recordings and shards that
    its user can read, and send their samples. Whoever can reach a dispatcher can add workers
    that send wrong batches. Neither can run code.

    Args:
        port: Port of the dispatcher; the workers take the following ones. With `dispatcher`, the
            port of the first worker. Defaults to 0: any free ports.
        workers: Number of workers. Defaults to 2.
        host: Name or address of this machine at which to listen. Trainers, and workers on other
            machines, must reach it there. Defaults to "127.0.0.1", for this machine alone.
        dispatcher: "HOST:PORT" of a running dispatcher, on another machine, that the workers join.
            Defaults to None: start one.

    Yields:
        A `Service`.

    Raises:
        InputError: A port is taken, the host is not this machine, or the dispatcher does not
            answer.

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
    if dispatcher is not None:
        listed(dispatcher)
    count = workers + (dispatcher is None)
    if port and port + count > 1 << 16:
        raise InputError(
            f"received port {port} for {workers} workers, expected a lower one: ports end at 65535"
        )
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(listen(host, port and port + n)) for n in range(count)]
        listening = sockets.pop(0) if dispatcher is None else None
        processes = tuple(Worker(address_of(host, listener), listener) for listener in sockets)
        stack.enter_context(_running(processes))
        members = [worker.address for worker in processes]
        if dispatcher is None:
            dispatcher = address_of(host, listening)
            stack.enter_context(dispatching(listening, members))
        else:
            stack.enter_context(joined(dispatcher, members))
        yield Service(f"tcp://{dispatcher.rpartition('//')[2]}", processes)


@contextlib.contextmanager
def _running(workers):
    """Run workers, and restart those that end, while the context lasts."""
    closing, starting = threading.Event(), threading.Lock()
    keeper = threading.Thread(target=_keep, args=(workers, closing, starting))
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.wait_until_ready()
        keeper.start()
        yield
    finally:
        with starting:
            closing.set()
        for worker in workers:
            worker.ask_to_end()
        for worker in workers:
            worker.end()
        if keeper.ident:
            keeper.join()
        for worker in workers:
            worker.close()


class Worker:
    """One worker's process."""

    def __init__(self, address, listening):
        self.address, self.listening = address, listening
        self.process = None

    def start(self):
        """Start the process."""
        number = self.listening.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kerasep.data.service.worker", str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[number],
        )

    def wait_until_ready(self):
        """Wait until the process answers."""
        line = self.process.stdout.readline().strip()
        if line != "ready":
            reason = line or f"it ended with status {self.process.wait()}"
            raise InputError(f"worker {self.address} did not start: {reason}")

    def ask_to_end(self):
        """Close the standard input of the process, with which it ends."""
        if self.process is not None:
            self.process.stdin.close()

    def end(self):
        """Wait for the process to end, or kill it."""
        if self.process is None:
            return
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        """Close the pipes to the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()


def _keep(workers, closing, starting):
    """Restart workers that have ended."""
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
