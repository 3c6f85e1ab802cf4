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
            help="where the dispatcher listens; the workers take the ports that follow, or with "
            "--dispatcher the ports from this one on; 0 for any that are free",
        ),
    ] = 5050,
    workers: Annotated[int, typer.Option(min=0, help="processes that make batches")] = 2,
    host: Annotated[
        str,
        typer.Option(
            help="name or address of this machine at which to listen, and at no other; trainers "
            "must reach it there"
        ),
    ] = "127.0.0.1",
    dispatcher: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a dispatcher on another machine, for workers to join"),
    ] = None,
):
    """Read and mix training data for trainers on other machines, until Ctrl-C.

    Trainers use it by kerasep train --data-service. The workers must find the recordings under the
    same names as the trainer. There are no passwords: whoever reaches a worker's port can have it
    read and send any recording or prepared folder that you can read, and whoever reaches the
    dispatcher's port can add workers that send wrong batches. Nobody can run code by them. Use
    --host with addresses in closed networks only. A worker that is killed is started again.
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
