"""The published Wavenet in plain Keras, with the names and the target field of its authors."""

import h5py
import keras
from keras import layers as kl


def original(samples, filters, blocks, repeats, final, outputs, padding=1, first=1):
    """Return the model for inputs of this length, and how many samples its field leaves out.

    Args:
        samples: length of the input.
        filters: features of a block.
        blocks: blocks of a repeat.
        repeats: number of repeats.
        final: features of the last two convolutions before the outputs.
        outputs: number of outputs.
        padding: samples of the target field's padding on each side.
        first: number of the first convolution without a name.
    """
    numbers = iter(range(first, 1000))
    half = repeats * sum(2**block for block in range(blocks))
    outside = half - padding

    def convolution(x, width, size, name=None, dilation=1, use_bias=False):
        name = name or f"conv1d_{next(numbers)}"
        return kl.Conv1D(
            width, size, padding="same", dilation_rate=dilation, use_bias=use_bias, name=name
        )(x)

    mixture = keras.Input((samples,))
    x = convolution(mixture[..., None], filters, 3, "initial_causal_conv")
    skips = []
    for repeat in range(repeats):
        for block in range(blocks):
            index = repeat * blocks + block + 1
            name = f"res_{index}_dilated_conv_d{2**block}_s{repeat}"
            y = convolution(x, 2 * filters, 3, name, dilation=2**block)
            y = keras.ops.tanh(y[..., :filters]) * keras.ops.sigmoid(y[..., filters:])
            y = convolution(y, 2 * filters, 1)
            skips.append(y[:, outside : samples - outside, filters:])
            x = x + y[..., :filters]
    x = keras.ops.relu(kl.Add()(skips))
    x = keras.ops.relu(convolution(x, final[0], 3))
    x = convolution(x, final[1], 3)
    return keras.Model(mixture, convolution(x, outputs, 1, use_bias=True)), outside


def save_as_keras_2(model, path, whole=True):
    """Write the weights of convolutions where Keras 2 writes them."""
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights") if whole else file
        group.attrs["backend"] = b"theano"
        for layer in model.layers:
            group.create_group(layer.name)
            for weight in layer.weights:
                values = keras.ops.convert_to_numpy(weight)
                group[f"{layer.name}/{layer.name}/{weight.name}:0"] = values
        if whole:
            file["optimizer_weights/training/Adam/Variable:0"] = values
