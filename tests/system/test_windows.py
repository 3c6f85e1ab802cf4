"""The package without the modules and functions that Windows lacks."""

import os
import subprocess
import sys

import pytest

# Every module of the package, and with them every command.
SCRIPT = """
import os, signal, sys

MISSING = {"resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog"}


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def without(module, *names):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)


import keras, typer.rich_utils  # which choose by themselves what they import
for backend in ("tensorflow", "jax"):
    __import__(backend)
for name in MISSING:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
without(os, "fork", "sysconf", "geteuid", "getuid", "getgid", "killpg", "setsid", "nice")
without(os, "sched_getaffinity", "statvfs", "mkfifo", "chown", "getloadavg")
without(signal, "SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGQUIT")
without(signal, "SIGPIPE", "SIGTSTP", "SIGCONT", "SIGSTOP", "pthread_kill", "alarm", "setitimer")

import importlib, pkgutil
import kerasep

found = [module.name for module in pkgutil.walk_packages(kerasep.__path__, "kerasep.")]
for name in sorted(set(found) - {"kerasep.__main__"}):
    importlib.import_module(name)
kerasep.training.train, kerasep.separate, kerasep.tflite.export, kerasep.data.waveforms
print(len(found), "modules")
"""


@pytest.mark.slow
def test_every_module_is_imported_without_what_windows_lacks():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-2]) > 200
