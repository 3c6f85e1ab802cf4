"""Wavenet: gated dilated convolutions on the waveform, whose skips are summed."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.models.separation_model import SeparationModel, check_signal


@keras.saving.register_keras_serializable("kerasep")
class WavenetLike(SeparationModel):
    """Wavenet for source separation as published: residual blocks that look both ways in time.

    Each block convolves with a dilation, multiplies a tanh by a sigmoid, and adds to its input and
    to the sum of the skips. The dilations of a repeat are 1, 2, 4 and so on. The sum passes two
    more convolutions. At the end, a convolution of kernel size 1 computes every source except the
    last, which is the mixture minus the others. No convolution but the last has a bias.

    All convolutions are padded with zeros, so the output has the mixture's length. The original
    separates pieces of 1,601 samples, each with real samples around it. Samples further than half
    of `receptive_field` from both ends are the same here and there.

    Args:
        sources: names of the sources, two or more. The last one is the remainder. Defaults to
            ("vocals", "accompaniment").
        sample_rate: in Hz. Defaults to 16000.
        channels: number of channels of the mixture. Defaults to 1.
        filters: features of a block, and of its skip. Defaults to 64.
        kernel_size: kernel size of all convolutions except the last. Defaults to 3.
        blocks: number of blocks of a repeat, whose dilations double. Defaults to 10.
        repeats: number of repeats. Defaults to 4.
        final_filters: features of the two convolutions after the sum. Defaults to (2048, 256).
        name: name of the model.

    Attributes:
        receptive_field: number of samples that the sum of the skips sees around each sample.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import WavenetLike

    model = WavenetLike(filters=8, blocks=4, repeats=2, final_filters=(16, 8))
    mixture = np.random.randn(1, 1001, 1).astype("float32")
    estimates = model.predict_on_batch(mixture)
    assert estimates.shape == (1, 1001, 1, 2)
    np.testing.assert_allclose(estimates.sum(axis=-1), mixture, atol=1e-5)
    ```

    Reference:
        Lluís, Pons and Serra 2019, "End-to-end music source separation: is it possible in the
        waveform domain?", Interspeech.
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals", "accompaniment"),
        sample_rate: float = 16000,
        channels: int = 1,
        filters: int = 64,
        kernel_size: int = 3,
        blocks: int = 10,
        repeats: int = 4,
        final_filters: list[int] | tuple[int, ...] = (2048, 256),
        name: str = "wavenet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels, least=2)
        if len(final_filters) != 2:
            raise InputError(f"received final_filters={list(final_filters)}, expected two numbers")
        if min(filters, kernel_size, blocks, repeats, *final_filters) < 1:
            raise InputError(
                f"received filters={filters}, kernel_size={kernel_size}, blocks={blocks}, "
                f"repeats={repeats}, final_filters={list(final_filters)}, expected at least 1 of "
                f"each"
            )

        def convolved(x, width, dilation, name):
            return kl.Conv1D(
                width,
                kernel_size,
                padding="same",
                dilation_rate=dilation,
                use_bias=False,
                name=name,
            )(x)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        x = convolved(mixture, filters, 1, "input_conv")
        skips = []
        for block in range(blocks * repeats):
            y = convolved(x, 2 * filters, 2 ** (block % blocks), f"block_{block}_conv")
            signal, gate = keras.ops.split(y, 2, axis=-1)
            y = kl.Multiply(name=f"block_{block}_gated")(
                [
                    kl.Activation("tanh", name=f"block_{block}_tanh")(signal),
                    kl.Activation("sigmoid", name=f"block_{block}_gate")(gate),
                ]
            )
            y = kl.Dense(2 * filters, use_bias=False, name=f"block_{block}_dense")(y)
            residual, skip = keras.ops.split(y, 2, axis=-1)
            x = kl.Add(name=f"block_{block}")([x, residual])
            skips.append(skip)
        x = kl.Add(name="skips")(skips) if len(skips) > 1 else skips[0]
        x = kl.ReLU(name="skips_relu")(x)
        x = kl.ReLU(name="final_0_relu")(convolved(x, final_filters[0], 1, "final_0"))
        x = convolved(x, final_filters[1], 1, "final_1")
        x = kl.Dense(channels * (len(sources) - 1), name="outputs", dtype="float32")(x)
        estimates = kl.Reshape((-1, channels, len(sources) - 1), name="estimates", dtype="float32")(
            x
        )
        rest = mixture[..., None] - keras.ops.sum(estimates, axis=-1, keepdims=True)
        outputs = keras.ops.concatenate([estimates, rest], axis=-1)
        super().__init__(mixture, outputs, name=name)

        reach = repeats * sum(2**block for block in range(blocks))
        self.receptive_field = 1 + (kernel_size - 1) * reach
