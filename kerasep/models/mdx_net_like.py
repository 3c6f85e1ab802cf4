"""MDX-Net: a U-Net that turns the mixture's spectrum into that of one stem."""

import math

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import STFT, CenterCrop, CenterPad, Conv2DTranspose, InverseSTFT
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform


@keras.saving.register_keras_serializable("kerasep")
class MDXNetLike(SeparationModel):
    """MDX-Net as published: waveform in, one stem and the rest of the mixture out.

    The network takes the real and imaginary parts of all channels below a frequency, and returns
    those of the stem. There is no mask. Every level of the U-Net is a stack of convolutions, to
    which two dense layers over all bins of a frame are added. Strided convolutions lead from level
    to level and add `growth` features. On the way back the features are multiplied by those of the
    same level.

    The network sees a multiple of `2 ** levels` frames. Any waveform is padded with zeros to such a
    length, and `2 ** levels * n - 1` hops need no padding. Recordings are cut into chunks of `8 * 2
    ** levels - 1` hops: 255 in the original.

    Args:
        sources: names of the stem and of the rest, or of the stem alone. Defaults to
            ("vocals", "accompaniment").
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        n_fft: FFT length in samples. Defaults to 6144.
        hop: samples between frames. Defaults to 1024.
        window: analysis window. Defaults to "hann".
        bins: number of bins that the network sees, a multiple of `2 ** levels`. The stem has
            nothing above them. Defaults to 2048.
        muted_bins: number of the lowest bins that the network sees as zeros. Defaults to 3.
        growth: features of the first level, and how many each further level adds. Defaults to 32.
        levels: number of levels above the lowest one. Defaults to 5.
        convolutions: number of convolutions per level. Defaults to 3.
        bottleneck: ratio of a level's bins to the units of its first dense layer. Defaults to 8.
        compensate: factor of the stem, for networks whose stem is too quiet. The rest is the
            mixture minus the stem. Defaults to 1.
        norm_groups: number of groups of features that group norms normalise, each over all frames
            and bins that the network sees at once. A divisor of `growth`. Defaults to None: batch
            norms.
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
    from kerasep.models import MDXNetLike

    model = MDXNetLike(n_fft=128, hop=32, bins=32, growth=4, levels=2)
    waveform = np.random.randn(1, 1001, 2).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1001, 2, 2)
    ```

    Reference:
        Kim, Choi, Chung, Lee and Jung 2021, "KUIELab-MDX-Net: a two-stream neural network for music
        demixing", arXiv:2111.12203; `muted_bins` and `compensate` are those of Ultimate Vocal
        Remover.
    """

    domain = "waveform"
    chunk_overlap = 0.25
    chunking = "uvr"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals", "accompaniment"),
        sample_rate: float = 44100,
        channels: int = 2,
        n_fft: int = 6144,
        hop: int = 1024,
        window: str = "hann",
        bins: int = 2048,
        muted_bins: int = 3,
        growth: int = 32,
        levels: int = 5,
        convolutions: int = 3,
        bottleneck: int = 8,
        compensate: float = 1.0,
        norm_groups: int | None = None,
        name: str = "mdx_net_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        _check_sources(sources, compensate)
        _check_sizes(n_fft, bins, muted_bins, growth, levels, convolutions, bottleneck)
        if norm_groups is not None and (norm_groups < 1 or growth % norm_groups):
            raise InputError(
                f"received norm_groups={norm_groups}, expected a divisor of growth={growth}, such "
                f"as 2, or None for batch norms"
            )
        every_bin = n_fft // 2 + 1
        # Half a frame is mirrored at both ends, so it must be shorter than the waveform.
        step = hop * 2**levels
        least = step * math.ceil((n_fft // 2 + 1 + hop) / step) - hop

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        padded = CenterPad(step, least, name="pad", dtype="float32")(mixture)
        x = STFT(n_fft, hop, window, name="stft")(padded)
        x = kl.Reshape((-1, every_bin, 2 * channels), name="parts", dtype="float32")(x)
        lowest = kl.ZeroPadding2D(((0, 0), (muted_bins, 0)), name="lowest_bins", dtype="float32")
        x = lowest(x[:, :, muted_bins:bins])
        x = _convolution(x, kl.Conv2D(growth, 1, name="input_conv"), norm_groups)

        skips = []
        for level in range(levels):
            x = _block(x, convolutions, bottleneck, norm_groups, f"encoder_{level}")
            skips.append(x)
            down = kl.Conv2D(growth * (level + 2), 2, 2, name=f"down_{level}_conv")
            x = _convolution(x, down, norm_groups)
        x = _block(x, convolutions, bottleneck, norm_groups, "lowest")
        for level in reversed(range(levels)):
            up = Conv2DTranspose(growth * (level + 1), 2, 2, name=f"up_{level}_conv")
            x = _convolution(x, up, norm_groups)
            x = kl.Multiply(name=f"decoder_{level}_skip")([x, skips.pop()])
            x = _block(x, convolutions, bottleneck, norm_groups, f"decoder_{level}")

        x = kl.Conv2D(2 * channels, 1, name="output_conv", dtype="float32")(x)
        highest = ((0, 0), (0, every_bin - bins))
        x = kl.ZeroPadding2D(highest, name="highest_bins", dtype="float32")(x)
        x = kl.Reshape((-1, every_bin, channels, 2), name="spectrum", dtype="float32")(x)
        stem = InverseSTFT(n_fft, hop, window, name="istft")(x, padded)
        stem = CenterCrop(name="crop", dtype="float32")(stem, mixture)
        stem = compensate * stem
        waveforms = [stem, mixture - stem][: len(sources)]
        super().__init__(mixture, keras.ops.stack(waveforms, axis=-1), name=name)
        self.chunk_seconds = hop * (8 * 2**levels - 1) / sample_rate


def _convolution(x, layer, norm_groups):
    """Apply a convolution, a norm and a ReLU."""
    return _normalized(layer(x), layer.name.removesuffix("_conv"), -1, norm_groups)


def _normalized(x, name, axis, norm_groups):
    norm = {"axis": axis, "epsilon": 1e-5, "name": f"{name}_norm"}
    if norm_groups is None:
        x = kl.BatchNormalization(momentum=0.9, **norm)(x)
    else:
        x = kl.GroupNormalization(norm_groups, **norm)(x)
    return kl.ReLU(name=f"{name}_relu")(x)


def _block(x, convolutions, bottleneck, norm_groups, name):
    """Convolve over frames and bins, and add dense layers over the bins of each feature."""
    bins, features = x.shape[2:]
    for index in range(convolutions):
        layer = kl.Conv2D(features, 3, padding="same", name=f"{name}_{index}_conv")
        x = _convolution(x, layer, norm_groups)
    y = kl.Permute((1, 3, 2), name=f"{name}_bins_last")(x)
    for index, units in enumerate((bins // bottleneck, bins)):
        dense = kl.Dense(units, use_bias=False, name=f"{name}_dense_{index}")
        y = _normalized(dense(y), f"{name}_dense_{index}", 2, norm_groups)
    y = kl.Permute((1, 3, 2), name=f"{name}_features_last")(y)
    return kl.Add(name=f"{name}_add")([x, y])


def _check_sources(sources, compensate):
    if len(sources) > 2:
        raise InputError(
            f"received sources={list(sources)}, expected at most 2: one stem, and the rest: train "
            f"one model per stem"
        )
    if not 0 < compensate < math.inf:
        raise InputError(f"received compensate={compensate}, expected a number above 0, such as 1")


def _check_sizes(n_fft, bins, muted_bins, growth, levels, convolutions, bottleneck):
    if min(growth, levels, convolutions, bottleneck) < 1 or levels > 16:
        raise InputError(
            f"received growth={growth}, levels={levels}, convolutions={convolutions}, "
            f"bottleneck={bottleneck}, expected at least 1 of each, and at most 16 levels"
        )
    if not 0 < bins <= n_fft // 2 + 1 or bins % 2**levels or bins >> levels < bottleneck:
        raise InputError(
            f"received bins={bins}, expected a multiple of 2 ** levels = {2**levels}, at most "
            f"n_fft / 2 + 1 = {n_fft // 2 + 1}, with at least bottleneck = {bottleneck} of them at "
            f"the lowest level"
        )
    if not 0 <= muted_bins < bins:
        raise InputError(f"received muted_bins={muted_bins}, expected 0 to {bins - 1}")
