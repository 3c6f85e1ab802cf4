"""The loss of one mask value when a bin's target is not always the same."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, ORANGE

from kerasep import losses

# What the network sees is the same each time; the true share is 0 in six of ten cases, 0.9 in four.
shares = np.array([0.0] * 6 + [0.9] * 4, "float32")
reference = np.zeros((1, 10, 1, 1, 2, 2), "float32")
reference[0, :, 0, 0, 0, 0] = 1
reference[0, :, 0, 0, 1, 0] = shares
masks = np.linspace(0, 1, 101).astype("float32")
many = np.repeat(reference, len(masks), axis=0)
estimates = np.broadcast_to(masks[:, None, None, None, None], (len(masks), 10, 1, 1, 1))

figure, (panel, history) = plt.subplots(1, 2, figsize=(9, 3.2))
for p, colour, label in ((1, BLUE, "p = 1"), (2, ORANGE, "p = 2")):
    loss = losses.MagnitudeSpectrum(p=p, reduction=None)(many, estimates)
    values = np.asarray(loss)
    panel.plot(masks, values, color=colour, label=label)
    panel.plot(masks[values.argmin()], values.min(), "o", color=colour)
panel.set(title="mean loss of a mask value", xlabel="mask value", ylabel="loss")
panel.annotate("the median, 0", (0.0, 0.36), (0.08, 0.48), arrowprops={"arrowstyle": "->"})
panel.annotate("the mean, 0.36", (0.36, 0.195), (0.45, 0.3), arrowprops={"arrowstyle": "->"})
panel.legend()
history.hist(shares, bins=np.linspace(-0.05, 1.05, 12), color="#999999")
history.set(title="ten bins that look alike", xlabel="true share of the mixture", ylabel="bins")
