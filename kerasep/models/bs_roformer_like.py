"""BS-RoFormer: complex masks from transformers along time and across bands."""

from itertools import accumulate, pairwise

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import (
    STFT,
    ApplyComplexMask,
    AxialTransformer,
    BandMasks,
    BandSplit,
    CenterCrop,
    CenterPad,
    InverseSTFT,
)
from kerasep.layers.axial_transformer import EPSILON
from kerasep.models.separation_model import SeparationModel, check_chunk, check_signal
from kerasep.ops import check_transform

# Bins of each band for 2048 samples, up to 22.05 kHz: 43 Hz wide at first, 2.8 kHz at last.
BANDS = (*(2,) * 24, *(4,) * 12, *(12,) * 8, *(24,) * 8, *(48,) * 8, 128, 129)
_MOST = {"depth": 64, "heads": 64, "mask_layers": 8}


@keras.saving.register_keras_serializable("kerasep")
class BSRoFormerLike(SeparationModel):
    """Band-split RoFormer: waveform in, waveforms out, through a complex mask of each source.

    The spectrum is split into bands that do not overlap, narrow at low frequencies and wide at high
    ones. All channels of a band become one vector per frame. Pairs of transformers follow, one
    along frames and one across bands, and a norm. For each source, a network per band estimates the
    complex mask.

    The mask of a frame depends on all frames, so memory grows with the square of the length. On
    TensorFlow it takes several times as much as on JAX or PyTorch, which have fused attention on
    GPUs.

    Args:
        sources: names of the sources. Defaults to ("vocals",).
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        n_fft: FFT length in samples. Defaults to 2048.
        hop: samples between frames. Defaults to 441.
        window: analysis window. Defaults to "hann".
        bands: number of bins of each band, which sum to `n_fft / 2 + 1`. Defaults to the published
            62 bands.
        features: features per band and frame. Defaults to 512.
        depth: number of pairs of transformers. Defaults to 12.
        heads: number of attention heads. Defaults to 8.
        head_features: features of an attention head, an even number. Defaults to 64.
        mask_expansion: hidden features of a mask's network, as a multiple of `features`. Defaults
            to 4.
        mask_layers: number of hidden layers of a mask's network. Defaults to 1.
        chunk_seconds: length of the training examples, and of the chunks in which
            `kerasep.separate` separates a longer recording. Defaults to 8.
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
    from kerasep.models import BSRoFormerLike

    model = BSRoFormerLike(n_fft=64, hop=16, bands=[1, 4, 8, 20], features=8, depth=1, heads=2)
    waveform = np.random.randn(1, 1003, 2).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 2, 1)
    ```

    Reference:
        Lu, Wang, Kong and Hung 2023, "Music source separation with band-split RoPE transformer",
        arXiv:2309.02612; the sizes are those of the published checkpoints.
    """

    domain = "waveform"
    chunk_overlap = 0.5
    chunking = "msst"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals",),
        sample_rate: float = 44100,
        channels: int = 2,
        n_fft: int = 2048,
        hop: int = 441,
        window: str = "hann",
        bands: list[int] | tuple[int, ...] = BANDS,
        features: int = 512,
        depth: int = 12,
        heads: int = 8,
        head_features: int = 64,
        mask_expansion: int = 4,
        mask_layers: int = 1,
        chunk_seconds: float = 8.0,
        name: str = "bs_roformer_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        check_chunk(chunk_seconds)
        check_depth(depth=depth, heads=heads, mask_layers=mask_layers)
        if min(bands, default=0) < 1 or sum(bands) != n_fft // 2 + 1:
            raise InputError(
                f"received bands={list(bands)}, expected numbers of bins that sum to "
                f"n_fft / 2 + 1 = {n_fft // 2 + 1}"
            )
        edges = list(pairwise(accumulate(bands, initial=0)))

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        # The transform mirrors half a frame at both ends.
        padded = CenterPad(1, n_fft // 2 + 1, name="pad", dtype="float32")(mixture)
        spectrum = STFT(n_fft, hop, window, name="stft")(padded)
        x = BandSplit(edges, features, name="band_split")(spectrum)
        for index in range(depth):
            for axis, way in ((1, "frames"), (2, "bands")):
                x = AxialTransformer(axis, heads, head_features, name=f"{way}_{index}")(x)
        x = kl.RMSNormalization(epsilon=EPSILON, name="norm", dtype="float32")(x)
        estimates = []
        for source in sources:
            mask = BandMasks(
                edges, channels, mask_expansion * features, mask_layers, name=f"{source}_masks"
            )(x)
            estimate = ApplyComplexMask(name=f"{source}_spectrum")(mask, spectrum)
            waveform = InverseSTFT(n_fft, hop, window, name=f"{source}_istft")(estimate, padded)
            estimates.append(CenterCrop(name=f"{source}_crop", dtype="float32")(waveform, mixture))
        outputs = keras.ops.stack(estimates, axis=-1)
        super().__init__(mixture, outputs, name=name)


def check_depth(**numbers):
    """Validate numbers of layers and heads."""
    for name, number in numbers.items():
        if not 1 <= number <= _MOST[name]:
            raise InputError(f"received {name}={number}, expected 1 to {_MOST[name]}")
