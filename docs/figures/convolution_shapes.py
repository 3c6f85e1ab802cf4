"""One-dimensional convolutions of kernel size 3: which inputs each output sees."""

import matplotlib.pyplot as plt
from drawing import BLUE, GREY, ORANGE

# Title, input length, stride, dilation, padding on either side.
CASES = [
    ("stride 1, no padding: 8 to 6", 8, 1, 1, 0),
    ("stride 2, no padding: 9 to 4", 9, 2, 1, 0),
    ("padding 1 on each side: 8 to 8", 8, 1, 1, 1),
    ("dilation 2, no padding: 10 to 6", 10, 1, 2, 0),
]

figure, axes = plt.subplots(2, 2, figsize=(9, 3.4))
for panel, (title, length, stride, dilation, padding) in zip(axes.flat, CASES, strict=True):
    outputs = (length + 2 * padding - 2 * dilation - 1) // stride + 1
    marked = outputs // 2
    for index in range(outputs):
        centre = index * stride - padding + dilation
        for tap in (-dilation, 0, dilation):
            colour, width = (ORANGE, 1.8) if index == marked else (GREY, 0.5)
            panel.plot(
                [centre + tap, centre], [0, 1], color=colour, lw=width, zorder=index == marked
            )
        panel.plot(centre, 1, "o", color=ORANGE if index == marked else BLUE, ms=9)
    for index in range(-padding, length + padding):
        inside = 0 <= index < length
        panel.plot(index, 0, "o", color=BLUE, ms=9, mfc=BLUE if inside else "white", zorder=3)
    panel.set(title=title, xlim=(-1.6, 10), ylim=(-0.45, 1.45), yticks=[0, 1])
    panel.set_yticklabels(["input", "output"])
    panel.set_xticks([])
    panel.grid(False)
    panel.spines[["left", "bottom"]].set_visible(False)
    panel.tick_params(length=0)
