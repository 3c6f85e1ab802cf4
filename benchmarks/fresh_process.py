"""A measurement in a process of its own: nothing is warm, and nothing is left for the next one."""

import json
import os
import subprocess


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
