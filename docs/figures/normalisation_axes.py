"""Which entries of `(batch, frames, features)` share a mean and a variance."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREY

EXAMPLES, FRAMES, FEATURES = 2, 6, 4
SHARED = {
    "batch": lambda b, t, f: f == 1,
    "instance": lambda b, t, f: (b == 0) & (f == 1),
    "group (2 groups)": lambda b, t, f: (b == 0) & (f < 2),
    "global (gLN)": lambda b, t, f: b == 0,
    "layer, each frame": lambda b, t, f: (b == 0) & (t == 3),
    "cumulative (cLN)": lambda b, t, f: (b == 0) & (t <= 3),
}

figure, axes = plt.subplots(1, len(SHARED), figsize=(10, 2.6))
b, t, f = np.meshgrid(*map(np.arange, (EXAMPLES, FRAMES, FEATURES)), indexing="ij")
for panel, (title, rule) in zip(axes, SHARED.items(), strict=True):
    shared = rule(b, t, f)
    for example in range(EXAMPLES):
        for frame in range(FRAMES):
            for feature in range(FEATURES):
                marked = shared[example, frame, feature]
                corner = (frame, feature + (1 - example) * (FEATURES + 1))
                panel.add_patch(
                    plt.Rectangle(
                        corner,
                        0.9,
                        0.9,
                        color=BLUE if marked else GREY,
                        alpha=0.9 if marked else 0.2,
                    )
                )
    panel.plot(3.45, FEATURES + 1 + 1.45, "w.", ms=7)
    panel.set(title=title, xlim=(-0.2, FRAMES), ylim=(-0.3, 2 * FEATURES + 1.2), aspect="equal")
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(False)
    panel.set_xlabel("frames")
    for side in panel.spines.values():
        side.set_visible(False)
axes[0].set_ylabel("features\nexample 2      example 1")
