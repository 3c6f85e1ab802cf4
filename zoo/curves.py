"""Draws the training curve of each run whose history.csv lies in a folder here.

    python zoo/curves.py

writes curve.svg beside every history*.csv, and open_unmix_like/curve_original.svg, in which our run
is beside that of the original; needs the extra `report`.
"""

import csv
import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

HERE = pathlib.Path(__file__).parent


def column(path, key):
    """Read a column of a CSV file as numbers."""
    with open(path, newline="") as file:
        return [float(row[key]) for row in csv.DictReader(file)]


def draw(curves, ylabel, path):
    """Draw curves by name, one value an epoch."""
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for label, values in curves.items():
        axes.plot(range(1, len(values) + 1), values, label=label)
    axes.set(xlabel="epoch", ylabel=ylabel)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    matplotlib.rcParams["svg.hashsalt"] = "kerasep"  # the same file from the same figures
    for path in sorted(HERE.glob("*/history*.csv")):
        curves = {"training": column(path, "loss"), "validation": column(path, "val_loss")}
        draw(curves, "loss", path.with_name(path.stem.replace("history", "curve") + ".svg"))
    folder = HERE / "open_unmix_like"
    beside = {
        "kerasep": [-loss for loss in column(folder / "history.csv", "val_loss")],
        "openunmix, PyTorch": column(folder / "original.csv", "val_snr"),
    }
    draw(beside, "validation SNR in dB", folder / "curve_original.svg")
