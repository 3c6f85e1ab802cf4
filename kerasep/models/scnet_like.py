"""SCNet: bands compressed by how much they hold, and dual-path LSTMs between them."""

import math
from itertools import pairwise

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import (
    STFT,
    AxialLSTM,
    Conv2DTranspose,
    ConvolutionModule,
    EndPad,
    FeatureFFT,
    InverseFeatureFFT,
    InverseSTFT,
)
from kerasep.models.separation_model import SeparationModel, check_chunk, check_signal
from kerasep.ops import check_transform

# Share of the bins, stride, kernel size and convolution blocks of each band, from the lowest on.
BANDS = ((0.175, 1, 3, 3), (0.392, 4, 4, 2), (0.433, 16, 16, 1))
_SETTINGS = 4
_MOST = 32


@keras.saving.register_keras_serializable("kerasep")
class SCNetLike(SeparationModel):
    """Sparse compression network: waveform in, waveforms out, through a spectrum of each source.

    The network takes the real and imaginary parts of all channels. On every level of the encoder,
    strided convolutions across bins compress the bands: low ones little, high ones much. Further
    convolutions run along frames. Between encoder and decoder, LSTMs run across bins and along
    frames, every second time on the Fourier transform of the features along all frames. The decoder
    adds what the encoder had on the same level, and expands the bands. There is no mask.

    All frames are seen at once, and the Fourier transform depends on their number. So longer
    recordings are separated in chunks of the length of the training examples.

    Args:
        sources: names of the sources. Defaults to ("drums", "bass", "other", "vocals").
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        n_fft: FFT length in samples. Defaults to 4096.
        hop: samples between frames. Defaults to 1024.
        window: analysis window. Defaults to "rectangular".
        bands: for each band, from the lowest on: its share of the bins, the stride and the kernel
            size of its compression, and its number of convolution blocks on a level. The shares sum
            to 1, and a stride is 1 or the kernel size. Defaults to three bands of 17.5, 39.2
            and 43.3 % with strides of 1, 4 and 16.
        features: features of each level of the encoder. Defaults to (32, 64, 128).
        depth: number of pairs of dual-path blocks: one on the features, and one on their Fourier
            transform with twice as many features. Defaults to 3.
        expansion: units of an LSTM's direction, as a multiple of its features. Defaults to 1.
        compression: ratio of features to those inside a convolution block. Defaults to 4.
        chunk_seconds: length of the training examples, and of the chunks in which
            `kerasep.separate` separates a longer recording. Defaults to 11.
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
    from kerasep.models import SCNetLike

    model = SCNetLike(n_fft=512, hop=128, features=[4, 8], depth=1)
    waveform = np.random.randn(1, 1003, 2).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 2, 4)
    ```

    Reference:
        Tong, Zhu, Chen, Kang, Jiang, Li, Wu and Meng 2024, "SCNet: sparse compression network for
        music source separation", arXiv:2401.13276.
    """

    domain = "waveform"
    chunk_overlap = 0.75
    chunking = "msst"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("drums", "bass", "other", "vocals"),
        sample_rate: float = 44100,
        channels: int = 2,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "rectangular",
        bands: list | tuple = BANDS,
        features: list[int] | tuple[int, ...] = (32, 64, 128),
        depth: int = 3,
        expansion: int = 1,
        compression: int = 4,
        chunk_seconds: float = 11.0,
        name: str = "scnet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        _check_sizes(bands, features, depth, expansion, compression)
        check_chunk(chunk_seconds)
        bins, parts = n_fft // 2 + 1, 2 * channels
        # An odd number of hops has an even number of frames, which the Fourier transform needs.
        # Half a frame is mirrored at both ends, so it must be shorter than the waveform.
        least = hop * (2 * math.ceil(max(n_fft // 2 + 1 - hop, 0) / (2 * hop)) + 1)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        x = kl.ZeroPadding1D((0, 1), name="one_more", dtype="float32")(mixture)
        padded = EndPad(2 * hop, least, name="pad", dtype="float32")(x)
        x = STFT(n_fft, hop, window, name="stft")(padded)
        x = kl.Reshape((-1, bins, parts), name="parts", dtype="float32")(x)
        x = kl.Rescaling(n_fft**-0.5, name="scaled", dtype="float32")(x)

        skips = []
        for level, count in enumerate(features):
            edges = _edges(x.shape[2], bands)
            compressed = [
                _compressed(x[:, :, start:stop], count, band, compression, f"encoder_{level}_{i}")
                for i, (start, stop, band) in enumerate(edges)
            ]
            x = kl.Concatenate(axis=2, name=f"encoder_{level}_bands")(compressed)
            skips.append((x, edges, [part.shape[2] for part in compressed]))
            x = kl.Conv2D(count, 3, padding="same", name=f"encoder_{level}_conv")(x)

        for index in range(depth):
            x = _dual_path(x, expansion, f"dual_path_{2 * index}")
            x = FeatureFFT(name=f"fft_{index}")(x)
            x = _dual_path(x, expansion, f"dual_path_{2 * index + 1}")
            x = InverseFeatureFFT(name=f"inverse_fft_{index}")(x)

        for level in reversed(range(len(features))):
            skip, edges, sizes = skips.pop()
            x = kl.Add(name=f"decoder_{level}_skip")([x, skip])
            x = kl.Concatenate(name=f"decoder_{level}_twice")([x, x])
            x = kl.Conv2D(x.shape[-1], 3, padding="same", name=f"decoder_{level}_conv")(x)
            values, gates = keras.ops.split(x, 2, axis=-1)
            x = values * keras.ops.sigmoid(gates)
            count = features[level - 1] if level else parts * len(sources)
            dtype = None if level else "float32"
            start, expanded = 0, []
            for i, (size, edge) in enumerate(zip(sizes, edges, strict=True)):
                part = x[:, :, start : start + size]
                expanded.append(_expanded(part, count, edge, f"decoder_{level}_{i}", dtype))
                start += size
            x = kl.Concatenate(axis=2, name=f"decoder_{level}_bands", dtype=dtype)(expanded)

        x = kl.Rescaling(n_fft**0.5, name="rescaled", dtype="float32")(x)
        shape = (-1, bins, len(sources) * channels, 2)
        x = kl.Reshape(shape, name="spectra", dtype="float32")(x)
        x = InverseSTFT(n_fft, hop, window, name="istft")(x, mixture)
        x = kl.Reshape((-1, len(sources), channels), name="waveforms", dtype="float32")(x)
        x = kl.Permute((1, 3, 2), name="sources", dtype="float32")(x)
        super().__init__(mixture, x, name=name)


def _edges(bins, bands):
    """Return the first bin of each band, the one after its last, and its settings."""
    edges, share = [0], 0.0
    for band in bands[:-1]:
        share += band[0]
        edges.append(math.ceil(bins * share))
    edges.append(bins)
    if min(stop - start for start, stop in pairwise(edges)) < 1:
        raise InputError(
            f"received bands of {[band[0] for band in bands]} that leave some without one of "
            f"{bins} bins, expected at least 1 in each: take a larger n_fft or fewer levels"
        )
    return [(*edge, band) for edge, band in zip(pairwise(edges), bands, strict=True)]


def _compressed(x, features, band, compression, name):
    """Compress the bins of a band, and convolve along frames."""
    _, stride, kernel, blocks = band
    missing = kernel - 1 if stride == 1 else -x.shape[2] % stride
    sides = (0, 0), (missing // 2, missing - missing // 2)
    x = kl.ZeroPadding2D(sides, name=f"{name}_pad")(x)
    x = kl.Conv2D(features, (1, kernel), (1, stride), name=f"{name}_conv")(x)
    x = ConvolutionModule(blocks, compression, name=f"{name}_module")(x)
    return keras.ops.gelu(x, approximate=False)


def _expanded(x, features, edge, name, dtype):
    """Expand the bins of a band to its bins before the compression."""
    start, stop, (_, stride, kernel, _) = edge
    layer = Conv2DTranspose(features, (1, kernel), (1, stride), name=f"{name}_conv", dtype=dtype)
    x = layer(x)
    first = (x.shape[2] - (stop - start)) // 2
    return x[:, :, first : first + stop - start]


def _dual_path(x, expansion, name):
    units = expansion * x.shape[-1]
    for axis, way in ((2, "bins"), (1, "frames")):
        x = AxialLSTM(units, axis, name=f"{name}_{way}")(x)
    return x


def _check_sizes(bands, features, depth, expansion, compression):
    if not 1 <= depth <= _MOST or not 1 <= len(features) <= _MOST:
        raise InputError(
            f"received depth={depth}, features={list(features)}, expected 1 to {_MOST} pairs of "
            f"dual-path blocks and levels"
        )
    if min(expansion, compression) < 1 or min(features) < compression:
        raise InputError(
            f"received features={list(features)}, expansion={expansion}, compression="
            f"{compression}, expected at least 1, and at least compression features on each level"
        )
    for band in bands:
        share, stride, kernel, blocks = band if len(band) == _SETTINGS else [0] * _SETTINGS
        if not share > 0 or min(stride, kernel, blocks) < 1 or stride not in (1, kernel):
            raise InputError(
                f"received bands={[list(band) for band in bands]}, expected for each a share above "
                f"0, a stride of 1 or the kernel size, the kernel size, and at least 1 block"
            )
    if not math.isclose(sum(band[0] for band in bands), 1, abs_tol=1e-6):
        raise InputError(
            f"received bands={[list(band) for band in bands]}, expected shares that sum to 1"
        )
