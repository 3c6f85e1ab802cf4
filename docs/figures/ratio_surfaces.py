"""Losses of estimates `a s + b n`, with a source s and orthogonal noise n of the same energy."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import song

from kerasep import losses

stems = song(1.0)
source = stems[0, :, 0, 0] - stems[0, :, 0, 0].mean()
noise = np.random.default_rng(0).standard_normal(len(source)).astype("float32")
noise -= noise.mean()
noise -= source * (noise @ source) / (source @ source)
noise *= np.linalg.norm(source) / np.linalg.norm(noise)

gains = np.linspace(-0.5, 2, 51).astype("float32")
levels = np.linspace(-1, 1, 41).astype("float32")
a, b = np.meshgrid(gains, levels)
estimates = a.reshape(-1, 1) * source + b.reshape(-1, 1) * noise
truth = np.broadcast_to(source, estimates.shape)

figure, axes = plt.subplots(1, 4, figsize=(10, 3), sharey=True)
shown = (losses.Waveform(p=2), losses.SNR(), losses.SISNR(), losses.SDSDR())
for panel, loss in zip(axes, shown, strict=True):
    loss.reduction = None
    values = np.asarray(loss(truth[:, :, None, None], estimates[:, :, None, None]))
    if isinstance(loss, losses.Waveform):
        values = values / np.mean(source**2)
        contours = panel.contourf(a, b, values.reshape(a.shape), np.linspace(0, 3.25, 14))
        figure.colorbar(contours, ax=panel, orientation="horizontal", label="of the source's power")
        panel.set_title("MSE")
    else:
        shape = np.clip(values.reshape(a.shape), -20, 10)
        contours = panel.contourf(a, b, shape, np.arange(-20, 10.1, 2.5), cmap="viridis")
        figure.colorbar(contours, ax=panel, orientation="horizontal", label="dB")
        panel.set_title(type(loss).__name__)
    panel.plot(1, 0, "w+", ms=10, mew=2)
    panel.set_xlabel("a: gain of the source")
    panel.grid(False)
axes[0].set_ylabel("b: level of the noise")
