"""A measurement in a process of its own: nothing is warm, and nothing is left for the next one."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile

RAISED = re.compile(r"[\w.]*(Error|Exception|Unsupported)\b")


def measured(what, command, **environment):
    """Run a command, and read the JSON of the last line that it prints.

    Args:
        what: what to call it in an error.
        command: list of its words.
        environment: variables beside those of this process.

    Returns:
        What the JSON says.

    Raises:
        SystemExit: with the end of what it said, if it failed.
    """
    finished = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True
    )
    if finished.returncode:
        raise SystemExit(f"{what}: {finished.stderr[-2000:]}")
    return json.loads(finished.stdout.splitlines()[-1])


def attempted(command, seconds, **environment):
    """Run a command that may fail or hang, and read the last JSON that it prints.

    Args:
        command: list of its words.
        seconds: time after which it is stopped, with all processes that it started.
        environment: variables beside those of this process.

    Returns:
        dict that it printed, with an `error` if it did not end well.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=output,
            stderr=errors,
            text=True,
            process_group=0,
        )
        try:
            process.wait(seconds)
            failure = {"error": f"exit status {process.returncode}"} if process.returncode else {}
        except subprocess.TimeoutExpired:
            failure = {"error": f"stopped after {seconds:.0f} seconds"}
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        output.seek(0)
        errors.seek(0)
        printed = [line for line in output.read().splitlines() if line.startswith("{")]
        if failure:
            lines = errors.read().strip().splitlines()
            reason = [line for line in lines if RAISED.match(line)] or lines
            failure["error"] = ": ".join([failure["error"], *reason[-1:]])[:300]
        return {**(json.loads(printed[-1]) if printed else {}), **failure}
