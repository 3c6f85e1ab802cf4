"""The command `kerasep data serve`."""

import signal
import threading
from typing import Annotated

import typer

from kerasep.cli.terminal import say, start_keras


def data_serve(
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            help="port of the dispatcher; the workers use the next ports, or with --dispatcher "
            "the ports from this one on; 0 for any free ports",
        ),
    ] = 5050,
    workers: Annotated[int, typer.Option(min=0, help="processes that prepare batches")] = 2,
    host: Annotated[
        str,
        typer.Option(
            help="the only name or address of this machine to listen on; trainers must be able to "
            "reach it"
        ),
    ] = "127.0.0.1",
    dispatcher: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a dispatcher on another machine that the workers join"),
    ] = None,
):
    """Read and mix training data for trainers on other machines, until Ctrl-C.

    Trainers connect with kerasep train --data-service. The workers must find the recordings under
    the same paths as the trainer. A worker that is killed is started again.

    There are no passwords. Whoever can reach a worker's port can make it read and send any
    recording or prepared folder that you can read. Whoever can reach the dispatcher's port can add
    workers that send wrong batches. Neither can run code. Use --host with addresses in closed
    networks only.
    """
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    start_keras()
    from kerasep.data.service import servers

    with servers.serving(port=port, workers=workers, host=host, dispatcher=dispatcher) as service:
        for worker in service.workers:
            say(f"worker {worker.address}, process {worker.process.pid}")
        say(f"data service {service.address}; Ctrl-C stops")
        stopped.wait()
    say("stopped")
