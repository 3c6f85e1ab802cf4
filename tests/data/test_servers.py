"""Starting and ending the processes of a tf.data service."""

import socket

import pytest
import tensorflow as tf

from kerasep import data
from kerasep.errors import InputError


@pytest.mark.slow
def test_a_worker_joins_another_dispatcher():
    with data.serving(workers=0) as service:
        with data.serving(workers=1, dispatcher=service.address) as joined:
            assert joined.address == service.address
            numbers = data.distributed(tf.data.Dataset.range(10), service.address)
            assert sorted(int(n) for n in numbers) == list(range(10))
            process = joined.workers[0].process
        assert process.returncode == 0  # ended by itself, not killed


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
            pytest.raises(InputError, match=f"worker localhost:{port} did not start: .*server"),
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
