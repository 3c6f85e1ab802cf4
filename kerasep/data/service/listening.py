"""Listen at an address of this machine, and answer each connection in its own thread."""

import contextlib
import ipaddress
import socket
import threading

from kerasep.data.service import wire
from kerasep.errors import InputError

_FIRST_WORDS = 30.0  # seconds that the other side has for its request


def listen(host, port):
    """Listen at a port, on the network to which the host name belongs."""
    try:
        family, _, _, _, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        if not host or ipaddress.ip_address(place[0].partition("%")[0]).is_unspecified:
            raise InputError(
                f"received host {host!r}, expected the name or address at which other machines "
                "reach this one, or 127.0.0.1"
            )
        return socket.create_server(place[:2], family=family)
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"cannot listen on port {port} of {host}: {error}: expected a free port, and a name "
            "or address of this machine"
        ) from error


def address_of(host, listening):
    """Return the address of a socket: "HOST:PORT"."""
    port = listening.getsockname()[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def answer_all(listening, answer):
    """Answer connections until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_answer, args=(connection, answer), daemon=True).start()


def _answer(connection, answer):
    with connection, contextlib.suppress(OSError, EOFError):
        try:
            connection.settimeout(_FIRST_WORDS)
            wire.set_up(connection)
            answer(connection)
        except InputError as error:
            wire.send(connection, {"error": str(error)[:4000]})
        except ValueError as error:
            wire.send(
                connection, {"error": f"received {error}, expected kerasep's messages"[:4000]}
            )
