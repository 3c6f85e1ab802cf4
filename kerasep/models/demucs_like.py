"""Demucs: a waveform U-Net of strided convolutions with an LSTM in the middle."""

import keras
from keras import layers as kl
from keras import ops

from kerasep.errors import InputError
from kerasep.layers import (
    CenterCrop,
    CenterPad,
    Conv1DTranspose,
    MonoLevel,
    RecurrentStack,
    Resample,
)
from kerasep.layers.rescaled_uniform import rescaled_uniform
from kerasep.models.separation_model import SeparationModel, check_signal


@keras.saving.register_keras_serializable("kerasep")
class DemucsLike(SeparationModel):
    """Demucs in its second version: waveform in, waveforms out, through features of a few hertz.

    The mixture is normalised, padded and resampled to twice its rate. Every encoder level is a
    strided convolution, a ReLU, and a convolution of kernel size 1 that doubles the features, which
    a gated linear unit halves again. A bidirectional LSTM and a dense layer follow. Every decoder
    level adds the cropped output of its encoder level. Then follow a convolution without padding, a
    gated linear unit, and a transposed convolution with a ReLU, except at the last level. The
    result gets the mixture's rate, level and length again.

    The mean and deviation for normalisation are those of the whole mono mixture, as in the
    separation script of the original, whose network does not normalise. The first version of Demucs
    is this model with `resample=False`.

    Initial weights of convolutions are uniform within `1 / sqrt(inputs)` as in PyTorch. `inputs` is
    the kernel size times the input features (in a transposed convolution, PyTorch counts the output
    features). `rescale` is a reference for their deviation `d`, that of the uniform distribution:
    initial weights and biases are divided by `sqrt(d / rescale)`.

    Args:
        sources: names of the sources. Defaults to ("drums", "bass", "other", "vocals").
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        filters: features of the first level. Defaults to 64.
        levels: number of encoder levels, and of decoder levels. Defaults to 6.
        growth: ratio of the features of a level to those of the level before. Defaults to 2.
        kernel_size: kernel size of the strided convolutions. Defaults to 8.
        stride: ratio of the rates of two levels. Defaults to 4.
        context: kernel size of the decoder's convolutions. Defaults to 3.
        lstm_layers: number of bidirectional LSTM layers; 0 omits the LSTM and its dense layer.
            Defaults to 2.
        normalize: whether to normalise the mixture. Defaults to True.
        resample: whether the network runs at twice the sample rate. Defaults to True.
        rescale: reference for the deviation of initial weights, or None for no rescaling. Defaults
            to 0.1.
        name: name of the model.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import DemucsLike

    model = DemucsLike(["vocals", "rest"], 8000, 1, filters=4, levels=3, lstm_layers=1)
    mixture = np.random.randn(1, 1001, 1).astype("float32")
    assert model.predict_on_batch(mixture).shape == (1, 1001, 1, 2)
    ```

    Reference:
        Defossez, Usunier, Bottou and Bach 2019, "Music source separation in the waveform domain".
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("drums", "bass", "other", "vocals"),
        sample_rate: float = 44100,
        channels: int = 2,
        filters: int = 64,
        levels: int = 6,
        growth: float = 2.0,
        kernel_size: int = 8,
        stride: int | tuple[int, int] = 4,
        context: int = 3,
        lstm_layers: int = 2,
        normalize: bool = True,
        resample: bool = True,
        rescale: float | None = 0.1,
        name: str = "demucs_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        lengths = valid_lengths(levels, kernel_size, stride, context, resample)
        widths = [filters]
        while len(widths) < levels:
            widths.append(int(growth * widths[-1]))
        if min(widths) < 1 or lstm_layers < 0 or (rescale is not None and rescale <= 0):
            raise InputError(
                f"received filters={filters}, growth={growth}, lstm_layers={lstm_layers}, "
                f"rescale={rescale}, expected at least one feature per level, at least 0 "
                f"LSTM layers, and a rescale above 0 or None"
            )

        def convolved(x, width, size, step, name):
            start = rescaled_uniform(x.shape[-1] * size, rescale)
            return kl.Conv1D(width, size, strides=step, name=name, **start)(x)

        def gated(x, width, size, name):
            x, gate = ops.split(convolved(x, 2 * width, size, 1, f"{name}_rewrite"), 2, axis=-1)
            opened = kl.Activation("sigmoid", name=f"{name}_sigmoid")(gate)
            return kl.Multiply(name=f"{name}_gate")([x, opened])

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        x = mixture
        if normalize:
            mean, deviation = MonoLevel(name="level")(mixture)
            x = (mixture - mean) / (deviation + 1e-5)
        normal = x
        x = CenterPad(*lengths, name="pad", dtype="float32")(normal)
        if resample:
            x = Resample(1, 2, name="upsample")(x)
        skips = []
        for level, width in enumerate(widths):
            x = convolved(x, width, kernel_size, stride, f"encoder_{level}_conv")
            x = kl.ReLU(name=f"encoder_{level}_relu")(x)
            x = gated(x, width, 1, f"encoder_{level}")
            skips.append(x)
        if lstm_layers:
            x = RecurrentStack(widths[-1], lstm_layers, name="lstm")(x)
            x = kl.Dense(widths[-1], name="linear")(x)
        for level in reversed(range(levels)):
            skip = CenterCrop(name=f"skip_{level}")(skips.pop(), x)
            x = kl.Add(name=f"decoder_{level}_join")([x, skip])
            x = gated(x, widths[level], context, f"decoder_{level}")
            width = widths[level - 1] if level else len(sources) * channels
            x = Conv1DTranspose(
                width,
                kernel_size,
                strides=stride,
                name=f"decoder_{level}_conv",
                **rescaled_uniform(width * kernel_size, rescale),
            )(x)
            if level:
                x = kl.ReLU(name=f"decoder_{level}_relu")(x)
        if resample:
            x = Resample(2, 1, name="downsample")(x)
        x = CenterCrop(name="crop", dtype="float32")(x, normal)
        x = kl.Reshape((-1, len(sources), channels), name="apart", dtype="float32")(x)
        outputs = kl.Permute((1, 3, 2), name="sources_last", dtype="float32")(x)
        if normalize:
            # In this order: with as many examples in the batch as sources, Keras mistakes a second
            # term of (batch, 1, 1, 1) for a bias, and adds each example's mean to a source.
            outputs = mean[..., None] + outputs * deviation[..., None]
        super().__init__(mixture, outputs, name=name)

    def without_level(self) -> keras.Model | None:
        """See `SeparationModel.without_level`."""
        if not self.normalize:
            return None
        return keras.Model(self.get_layer("pad").input, self.get_layer("sources_last").output)


def valid_lengths(levels, kernel_size, stride, context, resample):
    """Return the step between valid lengths, the shortest one, and how many samples it covers."""
    if min(levels, stride, context) < 1 or not stride <= kernel_size or not context <= kernel_size:
        raise InputError(
            f"received levels={levels}, kernel_size={kernel_size}, stride={stride}, "
            f"context={context}, expected levels of at least 1, and a stride and a context from 1 "
            f"to the kernel size"
        )
    if resample and (stride % 2 or kernel_size % 2):
        raise InputError(
            f"received kernel_size={kernel_size}, stride={stride} with resample=True, expected "
            f"even numbers: half of a length must be a whole number"
        )
    # The shortest length leaves one frame after the lowest decoder level.
    least = reach = context
    for _ in range(levels):
        least = (least - 1) * stride + kernel_size
        reach = (reach - context) * stride + kernel_size
    halved = 2 if resample else 1
    return stride**levels // halved, least // halved, reach // halved
