"""Messages of the data service: JSON and float32 arrays.

A message is a length of four bytes in network order, and as many bytes of JSON. Arrays follow a
message with their shapes, as little-endian float32.
"""

import json
import re
import socket
import struct
from typing import Annotated

import numpy as np
from msgspec import Meta

from kerasep.data.service.schemas import Count, Record, parse
from kerasep.errors import InputError

MOST_BYTES = 64 << 20  # of a job: a hundred thousand stems take a quarter
_SHORT = 1 << 20  # of any other message
_LENGTH = struct.Struct(">I")
_ADDRESS = re.compile(r"(?:(?:tcp|grpc)://)?(?P<host>[^/:\s\[\]]+|\[[^\]\s]+\]):(?P<port>\d{1,5})")

Address = Annotated[str, Meta(min_length=3, max_length=300)]


class Reply(Record, omit_defaults=True):
    """Answer of a worker: an error, or the shapes of the arrays that follow."""

    error: str | None = None
    shapes: tuple[tuple[Count, ...], ...] = ()


def host_and_port(address):
    """Split an address."""
    match = _ADDRESS.fullmatch(address)
    if not match or not 0 < int(match["port"]) < 1 << 16:
        raise InputError(f"received data service {address!r}, expected tcp://HOST:PORT")
    return match["host"].strip("[]"), int(match["port"])


def connect(address, seconds=10.0):
    """Connect to an address."""
    connection = socket.create_connection(host_and_port(address), seconds)
    set_up(connection)
    return connection


def set_up(connection):
    """Send without delay, and notice when the other machine is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def send(connection, message):
    """Send a message, already packed as bytes or anything that JSON holds."""
    packed = message if isinstance(message, bytes) else json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(packed)) + packed)


def receive(connection, most=_SHORT):
    """Receive the bytes of a message."""
    (length,) = _LENGTH.unpack(_exactly(connection, bytearray(_LENGTH.size)))
    if length > most:
        raise ValueError(f"a message of {length} bytes, at most {most} are read")
    return _exactly(connection, bytearray(length))


def send_arrays(connection, arrays):
    """Send arrays of float32."""
    arrays = [np.ascontiguousarray(array, "<f4") for array in arrays]
    send(connection, {"shapes": [array.shape for array in arrays]})
    for array in arrays:
        connection.sendall(memoryview(array).cast("B"))


def receive_arrays(connection, shapes, take):
    """Receive arrays of known shapes."""
    received = reply(connection).shapes
    if received != tuple(map(tuple, shapes)):
        raise ValueError(f"arrays of shapes {received}, expected {shapes}")
    arrays = [take(shape) for shape in shapes]
    for array in arrays:
        _exactly(connection, memoryview(array).cast("B"))
    return arrays


def reply(connection):
    """Receive a `Reply`."""
    answer = parse(receive(connection), Reply)
    if answer.error is not None:
        raise InputError(" ".join(answer.error.split()))
    return answer


def _exactly(connection, buffer):
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if not count:
            raise EOFError("the connection ended")
        view = view[count:]
    return buffer
