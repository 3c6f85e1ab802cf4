"""A worker of a data service, as a process: `python -m kerasep.data.service.worker SOCKET`.

It answers at a socket that its parent process has bound, so that the port stays while a killed
worker is restarted. It prints "ready", and ends with its standard input, and so with its parent.
"""

import os
import signal
import socket
import sys
import threading

from kerasep.data.service import wire
from kerasep.data.service.jobs import Request, batches_of
from kerasep.data.service.listening import answer_all
from kerasep.data.service.schemas import parse


def main():
    """Serve batches until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    _silence_native_code()
    listening = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=answer_all, args=(listening, serve), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # at once: there is nothing to save, and reading may hang


def serve(connection):
    """Receive a job, then send a batch for each request."""
    batch = batches_of(bytes(wire.receive(connection, wire.MOST_BYTES)))
    wire.send(connection, {})
    connection.settimeout(None)
    while True:
        request = parse(wire.receive(connection), Request)
        wire.send_arrays(connection, batch(request.epoch, request.step))


def _silence_native_code():
    """Redirect the standard error of native code, so that only Python writes there."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    main()
