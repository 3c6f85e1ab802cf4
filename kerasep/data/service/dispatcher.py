"""The dispatcher of a data service, which lists the addresses of its workers."""

import collections
import contextlib
import socket
import threading
from typing import Annotated

from msgspec import Meta

from kerasep.data.service import wire
from kerasep.data.service.listening import answer_all
from kerasep.data.service.schemas import Record, parse
from kerasep.errors import InputError
from kerasep.system import logs

_MOST_WORKERS = 1024
_RETRY_SECONDS = 5.0

Addresses = Annotated[list[wire.Address], Meta(max_length=_MOST_WORKERS)]

log = logs.logger(__name__)


class List(Record, tag="list"):
    """Request for the list of workers."""


class Join(Record, tag="join"):
    """Registration of workers for as long as the connection lasts."""

    workers: Addresses


class Workers(Record):
    """Answer to either."""

    workers: tuple[wire.Address, ...] = ()
    error: str | None = None


@contextlib.contextmanager
def dispatching(listening, workers):
    """List and register workers at a socket while the context lasts."""
    members, lock = collections.Counter(workers), threading.Lock()

    def answer(connection):
        message = parse(wire.receive(connection), List | Join)
        if isinstance(message, List):
            with lock:
                wire.send(connection, {"workers": list(members)})
            return
        for address in message.workers:
            wire.host_and_port(address)
        with lock:
            if len(members) + len(message.workers) > _MOST_WORKERS:
                raise InputError(f"the dispatcher has {len(members)} workers: start another one")
            members.update(message.workers)
        try:
            wire.send(connection, {})
            connection.settimeout(None)
            connection.recv(1)
        finally:
            with lock:
                members.subtract(message.workers)
                for address in message.workers:
                    if members[address] <= 0:
                        del members[address]

    threading.Thread(target=answer_all, args=(listening, answer), daemon=True).start()
    yield


def listed(address):
    """Return the addresses of the workers of a dispatcher."""
    with _asking(address, {"type": "list"}) as (_, workers):
        for worker in workers:
            wire.host_and_port(worker)
        return list(workers)


@contextlib.contextmanager
def joined(address, workers):
    """Register workers at a dispatcher while the context lasts, again if it is restarted."""
    leaving, connection = threading.Event(), _join(address, workers)

    def stay():
        nonlocal connection
        while not leaving.is_set():
            with contextlib.suppress(OSError):
                connection.recv(1)
            if leaving.is_set():
                return
            log.warning("dispatcher %s is gone: joining again when it is back", address)
            while not leaving.wait(_RETRY_SECONDS):
                with contextlib.suppress(InputError):
                    connection = _join(address, workers)
                    log.warning("dispatcher %s is back", address)
                    break

    thread = threading.Thread(target=stay, daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        thread.join()
        connection.close()


def _join(address, workers):
    with _asking(address, {"type": "join", "workers": workers}) as (connection, _):
        connection.settimeout(None)
        return connection.dup()


@contextlib.contextmanager
def _asking(address, message):
    host, port = wire.host_and_port(address)
    try:
        with wire.connect(address) as connection:
            wire.send(connection, message)
            answer = parse(wire.receive(connection), Workers)
            if answer.error is not None:
                raise InputError(f"{address} answers: {' '.join(answer.error.split())}")
            yield connection, answer.workers
    except (OSError, EOFError) as error:
        raise InputError(
            f"nobody answers at {address} ({error}): start kerasep data serve there"
        ) from error
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            f"{host}:{port} is not the dispatcher of a data service ({error}): expected the "
            "address that kerasep data serve prints"
        ) from error
