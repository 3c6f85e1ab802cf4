"""The activation functions of the page, as Keras computes them."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, RED

x = np.linspace(-4, 4, 401).astype("float32")
prelu = keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.5), shared_axes=[1])

figure, (bounded, open_above, sources) = plt.subplots(1, 3, figsize=(10, 3))
bounded.plot(x, keras.ops.sigmoid(x), color=BLUE, label="sigmoid")
bounded.plot(x, keras.ops.tanh(x), color=ORANGE, label="tanh")
bounded.set(title="bounded", xlabel="input", ylabel="output")
open_above.plot(x, prelu(x[None])[0], color=PURPLE, label="PReLU, here with $\\alpha$ = 0.5")
open_above.plot(x, keras.ops.leaky_relu(x, 0.2), color=GREEN, label="leaky ReLU, slope 0.2")
open_above.plot(x, keras.ops.relu(x), color=RED, label="ReLU")
open_above.set(title="no upper bound", xlabel="input")
logits = np.stack([x, np.zeros_like(x), np.full_like(x, -1)], axis=-1)
shares = keras.ops.convert_to_numpy(keras.ops.softmax(logits, axis=-1))
for index, (colour, label) in enumerate(
    [(BLUE, "input x"), (ORANGE, "input 0"), (GREY, "input -1")]
):
    sources.plot(x, shares[:, index], color=colour, label=label)
sources.plot(x, shares.sum(axis=-1), "k:", label="sum")
sources.set(title="softmax over three sources", xlabel="x", ylim=(-0.05, 1.1))
for panel in (bounded, open_above, sources):
    panel.legend(loc="best")
