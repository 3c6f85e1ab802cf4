"""Starting and ending the processes of a data service, and where they listen."""

import contextlib
import os
import socket
import time

import psutil
import pytest

from kerasep import data
from kerasep.data.service import servers
from kerasep.data.service.dispatcher import listed
from kerasep.errors import InputError


@pytest.mark.slow
def test_a_worker_joins_another_dispatcher(monkeypatch):
    monkeypatch.setattr(servers, "_PATIENCE", 120.0)  # for a busy machine
    with data.serving(workers=0) as service:
        with data.serving(workers=1, dispatcher=service.address) as joined:
            assert joined.address == service.address
            assert listed(service.address) == [joined.workers[0].address]
            process = joined.workers[0].process
        assert process.returncode == 0  # ended by itself, not killed
        deadline = time.monotonic() + 120
        while listed(service.address):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def listening():
    """Addresses at which this process and those that it started listen."""
    connections = []
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            connections += process.net_connections("inet")
    return {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}


@pytest.mark.slow
def test_nothing_listens_beyond_the_host():
    before = listening()
    with data.serving(workers=2):
        assert listening() - before <= {"127.0.0.1"}
    with data.serving(workers=1, host="127.0.0.7") as service:
        assert listening() - before == {"127.0.0.7"}
        killed = service.workers[0].process.pid
        os.kill(killed, 9)
        deadline = time.monotonic() + 120
        while service.workers[0].process.pid == killed:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert listening() - before == {"127.0.0.7"}
    assert listening() == before


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "no.such.host.invalid"])
def test_hosts_that_are_none(host):
    with (
        pytest.raises(InputError, match=r"reach(es)? this one|of this machine"),
        data.serving(workers=0, host=host),
    ):
        pass


def test_too_high_a_port():
    with pytest.raises(InputError, match="ports end at 65535"), data.serving(port=65535, workers=1):
        pass


def test_a_taken_port():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match=f"cannot listen on port {port}"),
            data.serving(port=port),
        ):
            pass


@pytest.mark.slow
def test_a_port_taken_from_a_worker():
    with data.serving(workers=0) as service, socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match=f"cannot listen on port {port} of 127.0.0.1: .*in use"),
            data.serving(workers=1, port=port, dispatcher=service.address),
        ):
            pass


def test_no_dispatcher():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=f"nobody answers at {address}"),
            data.serving(workers=1, dispatcher=address),
        ):
            pass
