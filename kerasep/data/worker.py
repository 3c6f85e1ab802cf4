"""One worker of a tf.data service, as a process: `python -m kerasep.data.worker`.

Its first line says that it is ready, or why not. It ends with the process that started it: when its
standard input does.
"""

import argparse
import os
import signal
import sys
import threading


def main():
    """Register with a dispatcher, and make batches until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dispatcher", help="HOST:PORT")
    parser.add_argument("host", help="name under which trainers reach this machine")
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    parent = threading.Thread(target=_end_with_input, daemon=True)
    parent.start()
    _silence_native_code()

    import tensorflow as tf

    from kerasep.data import service

    kept = service.register()
    config = tf.data.experimental.service.WorkerConfig(
        dispatcher_address=arguments.dispatcher,
        worker_address=f"{arguments.host}:{arguments.port}",
        port=arguments.port,
    )
    try:
        worker = tf.data.experimental.service.WorkerServer(config)
    except (tf.errors.OpError, RuntimeError) as error:
        _say(str(error).splitlines()[0])
        sys.exit(1)
    _say("ready")
    parent.join()
    del worker, kept


def _end_with_input():
    sys.stdin.read()
    os._exit(0)  # at once: there is nothing to save, and TensorFlow would take seconds


def _silence_native_code():
    """Keep standard error for Python's log and tracebacks."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
