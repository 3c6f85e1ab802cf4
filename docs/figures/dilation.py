"""A stack of dilated convolutions, centred and causal, and the inputs that one output sees."""

import matplotlib.pyplot as plt
from drawing import GREY, ORANGE

DILATIONS, FRAMES = (1, 2, 4), 22


def reached(index, layer, causal):
    """Frames of the layer below that a frame of this one sees."""
    dilation = DILATIONS[layer]
    offsets = (-2 * dilation, -dilation, 0) if causal else (-dilation, 0, dilation)
    return [index + offset for offset in offsets if 0 <= index + offset < FRAMES]


figure, axes = plt.subplots(1, 2, figsize=(10, 2.8), sharey=True)
for panel, causal, marked in ((axes[0], False, 11), (axes[1], True, 18)):
    seen = {marked}
    for layer in reversed(range(len(DILATIONS))):
        for index in range(FRAMES):
            for below in reached(index, layer, causal):
                own = index in seen
                panel.plot(
                    [below, index],
                    [layer, layer + 1],
                    color=ORANGE if own else GREY,
                    lw=1.4 if own else 0.25,
                    zorder=2 if own else 1,
                )
            panel.plot(
                index, layer + 1, "o", color=ORANGE if index in seen else GREY, ms=4, zorder=3
            )
        seen = {below for index in seen for below in reached(index, layer, causal)}
    for index in range(FRAMES):
        panel.plot(index, 0, "o", color=ORANGE if index in seen else GREY, ms=4, zorder=3)
    panel.set(title=f"{'causal' if causal else 'centred'}: {len(seen)} frames seen", xlabel="frame")
    panel.set_yticks(range(4), ["input", "dilation 1", "dilation 2", "dilation 4"])
    panel.grid(False)
    panel.spines["left"].set_visible(False)
    panel.tick_params(left=False)
