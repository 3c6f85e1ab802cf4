"""Time the exported files of presets that come trained, in Python and with the C library.

    make native
    python benchmarks/tflite_presets.py --native build/native/kerasep-native

Each file is measured by `kerasep bench` on one thread: a chunk of noise, in fresh processes that
take turns.
"""

import argparse
import csv
import itertools
import pathlib
import subprocess
import sys
import tempfile

import machine

RESULTS = pathlib.Path(__file__).parent / "results" / "tflite.csv"
PRESETS = (
    "mdx_net_like/karaoke",
    "unet_like/karaoke",
    "open_unmix_like/karaoke",
    "demucs_like/karaoke",
    "conv_tasnet_like/karaoke",
    "open_unmix_like/phone",
)
WEIGHTS = ("float32", "int8")


def kerasep(*arguments):
    """Run a kerasep command."""
    command = [sys.executable, "-m", "kerasep", *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{' '.join(command)}: {finished.stderr[-2000:]}")


def measure(folder, preset, weights, native, rounds):
    """Export a file and measure it: one row per runtime."""
    file, table = folder / "model.tflite", folder / "bench.csv"
    options = ["--no-check", "--overwrite"]
    if weights != "float32":
        options += ["--quantization", weights]
    kerasep("export", "--model", preset, "--out", file, *options)
    options = ["--threads", 1, "--rounds", rounds, "--native", native, "--overwrite"]
    kerasep("bench", file, "--csv", table, *options)
    with open(table, newline="", encoding="utf-8") as lines:
        return [{"preset": preset, "weights": weights, **row} for row in csv.DictReader(lines)]


def main():
    """Measure preset by preset, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=PRESETS, help="default: all")
    parser.add_argument("--native", required=True, help="the command that `make native` makes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", default=RESULTS)
    arguments = parser.parse_args()
    described = machine.describe("kerasep", "ai-edge-litert")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for preset, weights in itertools.product(arguments.presets, WEIGHTS):
            for row in measure(folder, preset, weights, arguments.native, arguments.rounds):
                rows.append({**row, **described})
                print(", ".join(list(row.values())[:6]), flush=True)
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
