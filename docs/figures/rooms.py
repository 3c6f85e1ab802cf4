"""The rooms of the package in rows: no room imports a room above it."""

import matplotlib.pyplot as plt
from drawing import BLUE, GREY, ORANGE
from matplotlib.patches import FancyBboxPatch

ROWS = (
    ("cli",),
    ("reports",),
    ("training", "tflite"),
    ("evaluation", "streaming"),
    ("separation",),
    ("zoo",),
    ("importers",),
    ("models",),
    ("layers", "losses", "metrics", "data"),
    ("targets",),
    ("ops",),
    ("files",),
    ("errors",),
    ("system",),
)
PORTABLE = {"models", "layers", "losses", "metrics", "targets", "ops"}
TENSORFLOW = {"data", "tflite"}

figure, axes = plt.subplots(figsize=(7, 5.6))
for number, row in enumerate(reversed(ROWS)):
    width = 8 / len(row)
    for place, room in enumerate(row):
        colour = BLUE if room in PORTABLE else ORANGE if room in TENSORFLOW else GREY
        corner = (place * width + 0.1, number + 0.12)
        size = {"width": width - 0.2, "height": 0.76, "boxstyle": "round,pad=0,rounding_size=0.12"}
        axes.add_patch(FancyBboxPatch(corner, **size, facecolor=f"{colour}26", edgecolor=colour))
        axes.text((place + 0.5) * width, number + 0.5, room, ha="center", va="center")
top = len(ROWS)
arrow = {"arrowstyle": "->", "color": GREY}
axes.annotate("imports", (8.5, 0.1), (8.5, top - 0.3), ha="center", color=GREY, arrowprops=arrow)
axes.set(xlim=(0, 9), ylim=(0, top))
axes.axis("off")
