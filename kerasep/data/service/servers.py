"""The processes of a data service: a dispatcher, and workers that are kept running."""

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
    """A running data service.

    Attributes:
        address: of its dispatcher, `tcp://HOST:PORT`.
        workers: the `Worker`s that this process keeps running.
    """

    address: str
    workers: tuple


@contextlib.contextmanager
def serving(
    *, port: int = 0, workers: int = 2, host: str = "127.0.0.1", dispatcher: str | None = None
) -> Iterator[Service]:
    """Run a data service, or more workers for one, as long as the context lasts.

    Workers are processes of their own. One that is killed is started again at the same port, where
    its trainers wait for it.

    There are no passwords. Whoever can reach a worker can make it read recordings and shards that
    its user can read, and send their samples. Whoever can reach a dispatcher can add workers
    that send wrong batches. Neither can run code.

    Args:
        port: where the dispatcher listens; the workers take the ports that follow. With
            `dispatcher` the first worker takes this one. Defaults to 0: any that are free.
        workers: how many. Defaults to 2.
        host: name or address of this machine at which to listen, and at no other. Trainers, and
            workers on other machines, must reach it there. Defaults to "127.0.0.1", for those on
            the same machine.
        dispatcher: "HOST:PORT" of a dispatcher that the workers join, on another machine. Defaults
            to one of their own.

    Yields:
        A `Service`.

    Raises:
        InputError: for a port that is taken, a host that is not this machine, or a dispatcher that
            does not answer.

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
        own = [] if dispatcher else [sockets.pop(0)]
        kept = tuple(Worker(address_of(host, each), each) for each in sockets)
        stack.enter_context(_running(kept))
        members = [worker.address for worker in kept]
        if dispatcher is None:
            dispatcher = address_of(host, own[0])
            stack.enter_context(dispatching(own[0], members))
        else:
            stack.enter_context(joined(dispatcher, members))
        yield Service(f"tcp://{dispatcher.rpartition('//')[2]}", kept)


@contextlib.contextmanager
def _running(workers):
    """Restart workers that end, as long as the context lasts."""
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
        """Wait until it answers."""
        line = self.process.stdout.readline().strip()
        if line != "ready":
            reason = line or f"it ended with status {self.process.wait()}"
            raise InputError(f"worker {self.address} did not start: {reason}")

    def ask_to_end(self):
        """Close what the process reads: it ends with that."""
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
