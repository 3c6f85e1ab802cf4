"""What a row of results says about where it was measured."""

import csv
import datetime
import importlib.metadata
import os
import pathlib
import platform


def describe(*packages):
    """Describe processor, load, Python and the versions of packages, as columns of a table.

    A load above the cores that the measured process uses says that others were at work too.
    """
    versions = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_15_minutes": round(os.getloadavg()[2], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": "; ".join([f"python {platform.python_version()}", *versions]),
        "date": datetime.date.today().isoformat(),
    }


def write_csv(path, rows):
    """Write rows (dicts with the same keys) as a table, and say where."""
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"wrote {path}")


def _cpu():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
