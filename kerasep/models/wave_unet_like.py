"""Wave-U-Net: a U-Net on the waveform that decimates and interpolates."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import CenterCrop, CenterPad, Interpolate
from kerasep.models.separation_model import SeparationModel, check_signal


@keras.saving.register_keras_serializable("kerasep")
class WaveUNetLike(SeparationModel):
    """Wave-U-Net as published: a waveform U-Net that halves the rate twelve times.

    On the way down, every level convolves and keeps every second sample. On the way up, every level
    interpolates between samples, joins the features of the same level on the way down, and
    convolves. At the end the mixture itself is joined, and a convolution of kernel size 1 computes
    each source. A tanh follows these last convolutions, and a leaky ReLU of slope 0.2 all others.

    With `context` no convolution is padded, so the network takes more samples than it returns. The
    mixture is extended by silence at both ends, as in the original's evaluation, so the output
    always has the mixture's length. This also holds in training. With a crop of the published input
    length, 147,443 samples, the twelve-level network computes only the middle 16,389 samples from
    real samples alone. The original's loss covers only these. The others see silence in part of
    their context, 65,527 samples (3 s) on each side, however long the crop is.

    Args:
        sources: names of the sources. With `difference` the last one is the remainder. Defaults to
            ("accompaniment", "vocals").
        sample_rate: in Hz. Defaults to 22050.
        channels: number of channels of the mixture. Defaults to 2.
        filters: features of the first level. Every level below has as many more. Defaults to 24.
        levels: number of times that the rate is halved. Defaults to 12.
        kernel_size: kernel size of the convolutions on the way down. Defaults to 15.
        merge_kernel_size: kernel size of the convolutions on the way up. Defaults to 5.
        context: whether convolutions see only real samples. If not, each is padded with zeros.
            Defaults to True.
        learned_upsampling: whether the way up interpolates by a mixture of two samples that is
            learned for each feature, instead of their mean. Defaults to False.
        difference: whether the last source is the mixture minus the others, so that the sources sum
            to the mixture. If not, it has its own output. Defaults to True.
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
    from kerasep.models import WaveUNetLike

    model = WaveUNetLike(sample_rate=8000, channels=1, filters=4, levels=4)
    mixture = np.random.randn(1, 1001, 1).astype("float32")
    estimates = model.predict_on_batch(mixture)
    assert estimates.shape == (1, 1001, 1, 2)
    np.testing.assert_allclose(estimates.sum(axis=-1), mixture, atol=1e-5)
    ```

    Reference:
        Stoller, Ewert and Dixon 2018, "Wave-U-Net: a multi-scale neural network for end-to-end
        audio source separation", ISMIR.
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("accompaniment", "vocals"),
        sample_rate: float = 22050,
        channels: int = 2,
        filters: int = 24,
        levels: int = 12,
        kernel_size: int = 15,
        merge_kernel_size: int = 5,
        context: bool = True,
        learned_upsampling: bool = False,
        difference: bool = True,
        name: str = "wave_unet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        if min(filters, levels, kernel_size, merge_kernel_size) < 1:
            raise InputError(
                f"received filters={filters}, levels={levels}, kernel_size={kernel_size}, "
                f"merge_kernel_size={merge_kernel_size}, expected at least 1 of each"
            )
        if difference and len(sources) < 2:
            raise InputError(
                f"received sources={list(sources)} with difference=True, expected two or more: the "
                f"last is what the others leave; or set difference=False"
            )

        def convolved(x, width, size, name):
            x = kl.Conv1D(width, size, padding="valid" if context else "same", name=name)(x)
            return kl.LeakyReLU(0.2, name=f"{name}_leaky")(x)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        lengths = valid_lengths(levels, kernel_size, merge_kernel_size, context)
        x = padded = CenterPad(2**levels, *lengths, name="pad")(mixture)
        skips = []
        for level in range(1, levels + 1):
            x = convolved(x, filters * level, kernel_size, f"down_{level}")
            skips.append(x)
            x = x[:, ::2]
        x = convolved(x, filters * (levels + 1), kernel_size, "bottom")
        for level in range(levels, 0, -1):
            x = Interpolate(learned_upsampling, not context, name=f"between_{level}")(x)
            skip = CenterCrop(name=f"skip_{level}")(skips.pop(), x)
            x = kl.Concatenate(name=f"join_{level}")([skip, x])
            x = convolved(x, filters * level, merge_kernel_size, f"up_{level}")
        x = kl.Concatenate(name="join_mixture")([CenterCrop(name="skip_mixture")(padded, x), x])
        x = CenterCrop(name="crop")(x, mixture)
        estimates = [
            kl.Conv1D(channels, 1, activation="tanh", name=f"{source}_output", dtype="float32")(x)
            for source in (sources[:-1] if difference else sources)
        ]
        outputs = keras.ops.stack(estimates, axis=-1)
        if difference:
            rest = mixture[..., None] - keras.ops.sum(outputs, axis=-1, keepdims=True)
            outputs = keras.ops.concatenate([outputs, rest], axis=-1)
        super().__init__(mixture, outputs, name=name)


def valid_lengths(levels, kernel_size, merge_kernel_size, context):
    """Return how many samples the smallest network takes, and how many it returns."""
    if not context:
        return 2**levels, 2**levels
    bottom = 1
    returned = 0
    while returned < 1:
        bottom += 1
        taken, returned = bottom + kernel_size - 1, bottom
        for _ in range(levels):
            taken, returned = 2 * taken + kernel_size - 2, 2 * returned - merge_kernel_size
    return taken, returned
