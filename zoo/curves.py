"""Draws the training curve of each run whose history.csv lies in a folder here.

    python zoo/curves.py

writes curve.svg beside every history*.csv; needs the extra `report`.
"""

import csv
import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

HERE = pathlib.Path(__file__).parent


def draw(path):
    """Draw one run's training and validation loss over the epochs."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for key, label in (("loss", "training"), ("val_loss", "validation")):
        axes.plot(epochs, [float(row[key]) for row in rows], label=label)
    axes.set(xlabel="epoch", ylabel="loss")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    name = path.stem.replace("history", "curve")
    figure.savefig(path.with_name(f"{name}.svg"), metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    matplotlib.rcParams["svg.hashsalt"] = "kerasep"  # the same file from the same figures
    for path in sorted(HERE.glob("*/history*.csv")):
        draw(path)
