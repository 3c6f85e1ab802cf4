"""Wave-U-Net: a U-Net on the waveform itself, that decimates and interpolates."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import CenterCrop, CenterPad, Interpolate
from kerasep.models.separation_model import SeparationModel, check_signal


@keras.saving.register_keras_serializable("kerasep")
class WaveUNetLike(SeparationModel):
    """Wave-U-Net as published: waveform in, waveforms out, through a dozen halvings of the rate.

    On the way down every level convolves and keeps every second sample; on the way up every level
    interpolates between samples, joins what its level gave on the way down, and convolves. The
    mixture itself joins last, and one convolution of a single sample gives each source. All
    convolutions but those are followed by a leaky ReLU of slope 0.2, the last ones by tanh.

    With `context` no convolution is padded: every output sample is computed of real samples alone,
    as far as there are any, and the network takes more samples than it gives. What lies beyond the
    ends of the mixture is silence, as in the original's evaluation; so the output always has the
    mixture's length. In training too: of a crop as long as the published input, 147,443 samples,
    the twelve-level network computes the middle 16,389 of real samples alone, which are all that
    the original's loss is of; the others see silence for part of their context. Longer crops have
    more of the former, at 65,527 samples, 3 s, on each side.

    Args:
        sources: names of the sources; with `difference` the last one is what the others leave.
            Defaults to ("accompaniment", "vocals").
        sample_rate: in Hz. Defaults to 22050.
        channels: of the mixture. Defaults to 2.
        filters: features of the first level; every level below has as many more. Defaults to 24.
        levels: how often the rate is halved. Defaults to 12.
        kernel_size: of the convolutions on the way down. Defaults to 15.
        merge_kernel_size: of those on the way up. Defaults to 5.
        context: whether convolutions see real samples alone; if not, each is padded with zeros.
            Defaults to True.
        learned_upsampling: whether the way up interpolates by a mixture of two samples learned for
            each feature, instead of their mean. Defaults to False.
        difference: whether the last source is the mixture less the others, so that the sources add
            up to the mixture; if not, it has an output of its own. Defaults to True.
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
    """Return how many samples the smallest network of a kind takes, and how many it returns."""
    if not context:
        return 2**levels, 2**levels
    bottom = 1
    given = 0
    while given < 1:
        bottom += 1
        taken, given = bottom + kernel_size - 1, bottom
        for _ in range(levels):
            taken, given = 2 * taken + kernel_size - 2, 2 * given - merge_kernel_size
    return taken, given
