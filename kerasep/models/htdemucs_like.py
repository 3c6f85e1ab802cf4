"""HTDemucs: a U-Net on the spectrum and one on the waveform, joined by a transformer."""

import math

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import (
    STFT,
    BinEmbedding,
    CenterCrop,
    CenterPad,
    Crop,
    InverseSTFT,
    MonoLevel,
    SinusoidalPositions,
    StepPad,
    TransformerBlock,
)
from kerasep.models.hybrid_levels import KERNEL, STRIDE, decode, encode
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform

_MOST = {"levels": 4, "transformer_layers": 64, "heads": 64, "compression": 1024, "expansion": 64}
_EPSILON = 1e-5  # added to deviations


@keras.saving.register_keras_serializable("kerasep")
class HTDemucsLike(SeparationModel):
    """Hybrid transformer Demucs, the fourth version: waveform in, waveforms out.

    One U-Net takes the real and imaginary parts of the spectrum, with strided convolutions over
    bins. Another takes the waveform, with strided convolutions over samples. Both are normalised by
    mean and deviation. Every encoder level is a strided convolution, a GELU, dilated residual
    branches over frames (`kerasep.layers.DilatedResidual`), and a dense layer with a gated linear
    unit. A transformer joins the lowest levels of the two: in turn, each attends to itself and to
    the other. Every decoder level adds the output of its encoder level, and mirrors it. The
    spectra that the first U-Net returns become waveforms, to which those of the second are added.
    There is no mask.

    With `per_source`, there is a whole network per source: a bag of models that were each trained
    further for one source, as in the release `htdemucs_ft`. The original's networks also return the
    other sources, which nobody uses; these do not.

    Waveforms shorter than `chunk_seconds` are padded with zeros on both sides, as in the original,
    which takes none that are longer. Recordings are cut into chunks of this length. A longer
    waveform at once is possible, but the transformer has not seen its positions in training, and
    attention takes memory with the square of the length.

    The mean and deviation for normalisation of the waveform are those of the mono mixture. As in
    the separation script of the original, `kerasep.separate` computes them over a whole recording.

    Args:
        sources: names of the sources. Defaults to ("drums", "bass", "other", "vocals").
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        per_source: whether there is a network per source, instead of one for all. Defaults to
            False.
        n_fft: FFT length in samples; half of it is a multiple of `4 ** levels` and above `8 * 4 **
            (levels - 1)`. The hop is a quarter of it. Defaults to 4096.
        filters: features of the first level; each further level has twice as many. Defaults to 48.
        levels: number of encoder levels, and of decoder levels, 1 to 4. Defaults to 4.
        compression: ratio of the features of a level to those of its residual branches. Defaults
            to 8.
        bottleneck: features of the transformer, or 0 for those of the lowest level. Defaults to
            512.
        transformer_layers: number of layers of the transformer, 0 for no transformer. Defaults to
            5.
        heads: number of attention heads. Defaults to 8.
        expansion: hidden features of the transformer's feed-forward networks, as a multiple of the
            features. Defaults to 4.
        dropout: rate in the transformer. Defaults to 0.02.
        chunk_seconds: length that shorter waveforms are padded to, in seconds. Defaults to 7.8.
        normalize: whether to normalise the mixture. Defaults to True.
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
    from kerasep.models import HTDemucsLike

    sizes = {"n_fft": 128, "filters": 8, "levels": 1, "bottleneck": 0, "transformer_layers": 1}
    model = HTDemucsLike(["vocals", "rest"], 8000, 1, chunk_seconds=0.1, **sizes)
    mixture = np.random.randn(1, 1001, 1).astype("float32")
    assert model.predict_on_batch(mixture).shape == (1, 1001, 1, 2)
    ```

    Reference:
        Rouard, Massa and Defossez 2023, "Hybrid transformers for music source separation",
        arXiv:2211.08553; Defossez 2021, "Hybrid spectrogram and waveform source separation",
        arXiv:2111.03600.
    """

    domain = "waveform"
    chunk_overlap = 0.25
    chunking = "demucs"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("drums", "bass", "other", "vocals"),
        sample_rate: float = 44100,
        channels: int = 2,
        per_source: bool = False,
        n_fft: int = 4096,
        filters: int = 48,
        levels: int = 4,
        compression: int = 8,
        bottleneck: int = 512,
        transformer_layers: int = 5,
        heads: int = 8,
        expansion: int = 4,
        dropout: float = 0.02,
        chunk_seconds: float = 7.8,
        normalize: bool = True,
        name: str = "htdemucs_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        _check_counts(
            levels=levels,
            transformer_layers=transformer_layers,
            heads=heads,
            compression=compression,
            expansion=expansion,
        )
        _check_sizes(n_fft, filters, levels, compression, dropout)
        _check_transformer(filters << (levels - 1), bottleneck, transformer_layers, heads)
        chunk = round(chunk_seconds * sample_rate)
        if chunk < 2 * n_fft:
            raise InputError(
                f"received chunk_seconds={chunk_seconds}, expected at least "
                f"{2 * n_fft / sample_rate:.3g}, two frames"
            )
        bins, hop = n_fft // 2, n_fft // 4
        widths = [filters << level for level in range(levels)]
        scale = math.sqrt(n_fft)  # the original's transform is unitary

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        x = mixture
        if normalize:
            mean, deviation = MonoLevel(name="level")(mixture)
            deviation = deviation + 1e-8
            x = (mixture - mean) / deviation
        normal = x
        padded = CenterPad(1, chunk, name="pad", dtype="float32")(normal)
        # From here on, frames are centred on every step of hop samples from half a hop on.
        mirrored = StepPad(hop, 3 * hop // 2, "reflect", name="mirror", dtype="float32")(padded)
        spectrum = STFT(n_fft, hop, center=False, name="stft")(mirrored)[:, :, :-1] / scale
        spectrum = kl.Permute((2, 1, 3, 4), name="bins_first", dtype="float32")(spectrum)
        spectrum = kl.Reshape((bins, -1, 2 * channels), name="parts", dtype="float32")(spectrum)
        spectrum, *spectrum_level = _normalized(spectrum, "spectrum")
        waveform, *waveform_level = _normalized(padded, "waveform")

        def network(count, prefix):
            """Return normalised spectra `(batch, bins, frames, parts)`, and waveforms."""
            x, y = spectrum, waveform
            skips, lengths = [], []
            for level, width in enumerate(widths):
                lengths.append(y)
                y = encode(y, width, compression, f"{prefix}waveform_encoder_{level}")
                x = encode(x, width, compression, f"{prefix}spectrum_encoder_{level}")
                if level == 0:
                    x = BinEmbedding(name=f"{prefix}bin_embedding")(x)
                skips.append((x, y))
            if transformer_layers:
                rows, features = x.shape[1], x.shape[-1]
                if bottleneck:
                    x = kl.Dense(bottleneck, name=f"{prefix}spectrum_in")(x)
                    y = kl.Dense(bottleneck, name=f"{prefix}waveform_in")(y)
                x = _positioned(x, f"{prefix}spectrum")
                y = _positioned(y, f"{prefix}waveform")
                x = kl.Reshape((-1, x.shape[-1]), name=f"{prefix}spectrum_tokens")(x)
                for index in range(transformer_layers):
                    crosses = index % 2 == 1
                    x, y = (
                        TransformerBlock(
                            heads, expansion, dropout, name=f"{prefix}{branch}_transformer_{index}"
                        )(own, *([other] if crosses else []))
                        for branch, own, other in (("spectrum", x, y), ("waveform", y, x))
                    )
                x = kl.Reshape((rows, -1, x.shape[-1]), name=f"{prefix}spectrum_map")(x)
                if bottleneck:
                    x = kl.Dense(features, name=f"{prefix}spectrum_out")(x)
                    y = kl.Dense(features, name=f"{prefix}waveform_out")(y)
            for level in reversed(range(levels)):
                skip, skip_y = skips.pop()
                x_width, y_width = (widths[level - 1],) * 2 if level else (2 * count, count)
                name, last = f"{prefix}spectrum_decoder_{level}", level == 0
                x = decode(x, skip, x_width, compression, name, last)
                name = f"{prefix}waveform_decoder_{level}"
                y = decode(y, skip_y, y_width, compression, name, last, lengths.pop())
            return x, y

        if per_source:
            pairs = [network(channels, f"{source}_") for source in sources]
            x, y = (keras.ops.concatenate(parts, axis=-1) for parts in zip(*pairs, strict=True))
        else:
            x, y = network(len(sources) * channels, "")

        x = x * spectrum_level[1][..., None] + spectrum_level[0][..., None]
        x = kl.Permute((2, 1, 3), name="frames_first", dtype="float32")(x)
        # The frames that the mixture's ends would have beyond them, and the highest bin.
        x = kl.ZeroPadding2D(((2, 2), (0, 1)), name="edges", dtype="float32")(x)
        count = len(sources) * channels
        x = kl.Reshape((-1, bins + 1, count, 2), name="spectra", dtype="float32")(x)
        x = InverseSTFT(n_fft, hop, center=False, name="istft")(x) * scale
        x = Crop(n_fft // 2 + 3 * hop // 2, name="within", dtype="float32")(x, padded)
        y = y * waveform_level[1] + waveform_level[0]
        x = CenterCrop(name="crop", dtype="float32")(x + y, normal)
        x = kl.Reshape((-1, len(sources), channels), name="apart", dtype="float32")(x)
        x = kl.Permute((1, 3, 2), name="sources_last", dtype="float32")(x)
        if normalize:
            # In this order, since Keras takes a second term of one number per example for a bias.
            x = mean[..., None] + x * deviation[..., None]
        super().__init__(mixture, x, name=name)

    def without_level(self) -> keras.Model | None:
        """See `SeparationModel.without_level`."""
        if not self.normalize:
            return None
        return keras.Model(self.get_layer("pad").input, self.get_layer("sources_last").output)


def _normalized(x, name):
    """Return a tensor less its mean over its deviation, and both `(batch, 1, 1)`."""
    flat = kl.Reshape((-1, 1), name=f"{name}_numbers", dtype="float32")(x)
    mean, deviation = MonoLevel(name=f"{name}_level")(flat)
    if len(x.shape) == 3:
        return (x - mean) / (deviation + _EPSILON), mean, deviation
    return (x - mean[..., None]) / (deviation[..., None] + _EPSILON), mean, deviation


def _positioned(x, name):
    """Normalise features, and add positions."""
    x = kl.LayerNormalization(epsilon=_EPSILON, name=f"{name}_norm")(x)
    return SinusoidalPositions(name=f"{name}_positions")(x)


def _check_counts(**numbers):
    for name, number in numbers.items():
        least = 0 if name == "transformer_layers" else 1
        if not least <= number <= _MOST[name]:
            raise InputError(f"received {name}={number}, expected {least} to {_MOST[name]}")


def _check_sizes(n_fft, filters, levels, compression, dropout):
    check_transform(n_fft, n_fft // 4)
    bins = n_fft // 2
    if bins % STRIDE**levels or bins <= KERNEL * STRIDE ** (levels - 1):
        raise InputError(
            f"received n_fft={n_fft} for levels={levels}, expected twice a multiple of "
            f"{STRIDE**levels} above {KERNEL * STRIDE ** (levels - 1)}"
        )
    if filters < compression:
        raise InputError(
            f"received filters={filters}, compression={compression}, expected at least as many "
            f"filters"
        )
    if not 0 <= dropout < 1:
        raise InputError(f"received dropout={dropout}, expected a share from 0 to below 1")


def _check_transformer(lowest, bottleneck, layers, heads):
    features = bottleneck or lowest
    if bottleneck < 0 or (layers and (features % heads or features % 4)):
        raise InputError(
            f"received bottleneck={bottleneck} for heads={heads}, expected a multiple of the heads "
            f"and of 4, or 0 for the {lowest} features of the lowest level if they are one"
        )
