"""Band-split RoFormers: the sizes of the published checkpoints, and their bands."""

import keras
import numpy as np
import pytest

from kerasep import models, ops, zoo
from kerasep.errors import InputError
from kerasep.models import BSRoFormerLike, MelBandRoFormerLike
from kerasep.models.building import build_without_values

# Numbers in the published files, and transformers. Each transformer also has 32 angles there.
PUBLISHED = {
    "bs_roformer_like/viperx": (159_758_796, 24),
    "bs_roformer_like/musdb": (131_704_612, 16),
    "mel_band_roformer_like/kim": (228_203_172, 12),
}
MEL_BANDS = [7, *[6] * 14, 7, 7, 7, 9, 9, 9, 10, 10, 11, 13, 13, 13, 15, 16, 17, 19, 20, 20, 22]
MEL_BANDS += [24, 26, 28, 29, 31, 33, 36, 39, 41, 44, 47, 50, 54, 57, 61, 66, 71, 76, 80, 86, 93]
MEL_BANDS += [99, 105, 113, 122, 130]
TINY = {"n_fft": 64, "hop": 16, "features": 8, "depth": 1, "heads": 2, "head_features": 4}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    card = zoo.describe(name)
    model = build_without_values(getattr(models, card["class"]), card["arguments"])
    numbers, transformers = PUBLISHED[name]
    assert model.count_params() + 32 * transformers == numbers


def test_published_mel_bands():
    card = zoo.describe("mel_band_roformer_like/kim")
    model = build_without_values(MelBandRoFormerLike, card["arguments"])
    bands = model.get_layer("band_split").bands
    assert [stop - start for start, stop in bands] == MEL_BANDS
    assert (bands[0][0], bands[-1][1]) == (0, 1025)


def without_constant_part(waveform):
    """Return the waveform without its lowest bin, as Mel-band RoFormer leaves it."""
    padded = ops.center_pad(waveform, 1, 33, 33)
    spectrum = np.array(keras.ops.convert_to_numpy(ops.stft(padded, 64, 16)))
    spectrum[:, :, 0] = 0
    again = ops.istft(spectrum, 64, 16, length=padded.shape[1])
    return keras.ops.convert_to_numpy(ops.center_crop(again, waveform))


def test_a_mask_of_ones_returns_the_mixture(rng):
    """Whatever the length, and where the bands overlap."""
    for model, expected in (
        (BSRoFormerLike(bands=[1, 12, 20], **TINY), np.asarray),
        (MelBandRoFormerLike(bands=6, sample_rate=8000, **TINY), np.asarray),
        (
            MelBandRoFormerLike(bands=6, sample_rate=8000, zero_dc=True, **TINY),
            without_constant_part,
        ),
    ):
        masks = model.get_layer("vocals_masks")
        for network in masks.networks:
            last = network[-1]
            last.kernel.assign(np.zeros(last.kernel.shape))
            size = last.units // 2
            values = np.tile([1.0, 0.0], size // 2)
            last.bias.assign(np.concatenate([values, np.full(size, 100.0)]))
        for samples in (5, 64, 1001):
            mixture = rng.standard_normal((1, samples, 2)).astype("float32")
            outputs = keras.ops.convert_to_numpy(model(mixture))
            np.testing.assert_allclose(outputs[..., 0], expected(mixture), atol=1e-5)


@pytest.mark.parametrize("bands", [[], [0, 33], [10, 10], [-1, 34]])
def test_bands_that_do_not_fill_the_spectrum(bands):
    with pytest.raises(InputError, match=r"received bands=.*sum to n_fft / 2 \+ 1 = 33"):
        BSRoFormerLike(bands=bands, **TINY)


def test_refusals():
    for model_class in (BSRoFormerLike, MelBandRoFormerLike):
        for name in ("depth", "heads", "mask_layers"):
            with pytest.raises(InputError, match=f"received {name}=0, expected 1 to"):
                model_class(**{name: 0})
            with pytest.raises(InputError, match=f"received {name}=1000, expected 1 to"):
                model_class(**{name: 1000})
    with pytest.raises(InputError, match="bands=600 for 2 sources, expected 1 to 500"):
        MelBandRoFormerLike(["a", "b"], bands=600)
    with pytest.raises(InputError, match="leaves bands without a bin"):
        MelBandRoFormerLike(bands=60, **TINY)
