"""One worker of a data service, as a process: `python -m kerasep.data.service.worker`.

It answers at a socket that the process which started it has bound: so the port stays, and trainers
wait at it, while a worker that was killed is started again. It ends with that process: when its
standard input does. Its first line says that it is ready.
"""

import argparse
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("socket", type=int, help="file descriptor that listens")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    _silence_native_code()
    listening = socket.socket(fileno=arguments.socket)
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
