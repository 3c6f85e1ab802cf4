"""Mel-Band RoFormer: complex masks from transformers along time and across mel bands."""

import keras

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
from kerasep.models.bs_roformer_like import check_depth
from kerasep.models.separation_model import SeparationModel, check_chunk, check_signal
from kerasep.ops import check_transform, mel_bands

_MOST_BANDS = 1000  # of all sources: each has networks of its own


@keras.saving.register_keras_serializable("kerasep")
class MelBandRoFormerLike(SeparationModel):
    """Mel-band RoFormer: waveform in, waveforms out, through a complex mask of each source.

    It is `BSRoFormerLike` with bands of equal width in mel. These overlap by half, and a bin's mask
    is the mean of those of its bands. Each transformer ends with a norm, so there is none after the
    last.

    Args:
        sources: names of the sources. Defaults to ("vocals",).
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        n_fft: FFT length in samples. Defaults to 2048.
        hop: samples between frames. Defaults to 441.
        window: analysis window. Defaults to "hann".
        bands: number of mel bands. Defaults to 60.
        features: features per band and frame. Defaults to 384.
        depth: number of pairs of transformers. Defaults to 6.
        heads: number of attention heads. Defaults to 8.
        head_features: features of an attention head, an even number. Defaults to 64.
        mask_expansion: hidden features of a mask's network, as a multiple of `features`. Defaults
            to 4.
        mask_layers: number of hidden layers of a mask's network. Defaults to 2.
        chunk_seconds: length of the training examples, and of the chunks in which
            `kerasep.separate` separates a longer recording. Defaults to 8.
        zero_dc: whether the lowest bin of every estimate is zero, as in later versions of the code.
            Defaults to False, as for the published checkpoints.
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
    from kerasep.models import MelBandRoFormerLike

    model = MelBandRoFormerLike(n_fft=256, hop=64, bands=8, features=8, depth=1, heads=2)
    waveform = np.random.randn(1, 1003, 2).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 2, 1)
    ```

    Reference:
        Wang, Lu and Won 2023, "Mel-band RoFormer for music source separation", arXiv:2310.01809;
        the sizes are those of the published checkpoint.
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
        bands: int = 60,
        features: int = 384,
        depth: int = 6,
        heads: int = 8,
        head_features: int = 64,
        mask_expansion: int = 4,
        mask_layers: int = 2,
        chunk_seconds: float = 8.0,
        zero_dc: bool = False,
        name: str = "mel_band_roformer_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        check_chunk(chunk_seconds)
        check_depth(depth=depth, heads=heads, mask_layers=mask_layers)
        if not 1 <= bands <= _MOST_BANDS // len(sources):
            raise InputError(
                f"received bands={bands} for {len(sources)} sources, expected 1 to "
                f"{_MOST_BANDS // len(sources)}"
            )
        edges = mel_bands(n_fft, sample_rate, bands)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        # The transform mirrors half a frame at both ends.
        padded = CenterPad(1, n_fft // 2 + 1, name="longer", dtype="float32")(mixture)
        spectrum = STFT(n_fft, hop, window, name="stft")(padded)
        x = BandSplit(edges, features, name="band_split")(spectrum)
        for index in range(depth):
            for axis, way in ((1, "frames"), (2, "bands")):
                x = AxialTransformer(
                    axis, heads, head_features, output_norm=True, name=f"{way}_{index}"
                )(x)
        masked = spectrum
        if zero_dc:
            masked = keras.ops.pad(spectrum[:, :, 1:], ((0, 0), (0, 0), (1, 0), (0, 0), (0, 0)))
        estimates = []
        for source in sources:
            mask = BandMasks(
                edges, channels, mask_expansion * features, mask_layers, name=f"{source}_masks"
            )(x)
            estimate = ApplyComplexMask(name=f"{source}_spectrum")(mask, masked)
            waveform = InverseSTFT(n_fft, hop, window, name=f"{source}_istft")(estimate, padded)
            estimates.append(CenterCrop(name=f"{source}_crop", dtype="float32")(waveform, mixture))
        outputs = keras.ops.stack(estimates, axis=-1)
        super().__init__(mixture, outputs, name=name)
