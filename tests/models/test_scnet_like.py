"""SCNet: the sizes of the published checkpoints, and lengths and bands at their limits."""

import keras
import numpy as np
import pytest

import kerasep
from kerasep import models, zoo
from kerasep.errors import InputError
from kerasep.models import SCNetLike
from kerasep.models.building import build_without_values

# Numbers in the published files. An LSTM has two biases there, of which only the sum counts.
PUBLISHED = {"scnet_like/small": 10_578_768, "scnet_like/large": 42_181_232}
TINY = {"n_fft": 128, "hop": 32, "features": [4, 8], "depth": 1}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name):
    card = zoo.describe(name)
    model = build_without_values(getattr(models, card["class"]), card["arguments"])
    units = card["arguments"]["features"][-1]
    second_biases = sum(2 * 8 * size for size in [units, 2 * units] * model.depth)
    assert model.count_params() + second_biases == PUBLISHED[name]


def test_frames_are_even():
    """Any waveform gets an odd number of hops, and at least one more sample."""
    model = SCNetLike(**TINY)
    layers = [model.get_layer(name) for name in ("one_more", "pad", "stft")]
    for samples, hops in ((1, 3), (95, 3), (96, 5), (127, 5), (160, 7)):
        x = np.ones((1, samples, 2), "float32")
        for layer in layers:
            x = layer(x)
        assert x.shape[1] == hops + 1


def test_a_network_that_passes_its_input_on(rng):
    """Every band is compressed and expanded in place."""
    bands = [[0.3, 1, 3, 1], [0.3, 2, 2, 1], [0.4, 4, 4, 1]]
    model = SCNetLike(["a", "b"], channels=1, **{**TINY, "bands": bands, "features": [8]})
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    for band, (_, stride, size, _) in enumerate(bands):
        # Each bin of a stride gets its own features. GELU is the identity far above 0.
        down, up = (model.get_layer(f"{way}_0_{band}_conv") for way in ("encoder", "decoder"))
        kernel = np.zeros((1, size, 2, 8))
        for tap in range(stride):
            place = 1 if stride == 1 else tap
            kernel[0, place, 0, 2 * tap] = kernel[0, place, 1, 2 * tap + 1] = 1
        down.kernel.assign(kernel)
        down.bias.assign(np.full(8, 20.0))
        up.kernel.assign(np.concatenate([kernel, -kernel], axis=2))
        up.bias.assign([-20.0, -20.0, 20.0, 20.0])
    # The last convolution reads the features twice, and its gates are open.
    fused = np.zeros((3, 3, 16, 16))
    fused[1, 1, range(8), range(8)] = 1
    model.get_layer("decoder_0_conv").kernel.assign(fused)
    model.get_layer("decoder_0_conv").bias.assign([0.0] * 8 + [50.0] * 8)
    x = 0.3 * rng.standard_normal((1, 500, 1)).astype("float32")
    outputs = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(outputs[..., 0], x, atol=1e-4)
    np.testing.assert_allclose(outputs[..., 1], -x, atol=1e-4)


def test_chunks_are_those_of_the_training():
    model = SCNetLike(sample_rate=8000, chunk_seconds=0.5, **TINY)
    separator = kerasep.separation.as_chunk_separator(model)
    assert (separator.chunk, separator.overlap) == (4000, 3000)


def test_refusals():
    with pytest.raises(InputError, match="received chunk_seconds=0, expected a number above 0"):
        SCNetLike(chunk_seconds=0)
    for depth in (0, 100):
        with pytest.raises(InputError, match=f"received depth={depth}, features="):
            SCNetLike(depth=depth)
    with pytest.raises(InputError, match=r"received features=\[2\], expansion=1, compression=4"):
        SCNetLike(features=[2])
    for band in ([0.5, 2, 3, 1], [0.5, 1, 3, 0], [0.0, 1, 3, 1], [0.5, 1]):
        with pytest.raises(InputError, match=r"received bands=.*expected for each a share"):
            SCNetLike(bands=[[0.5, 1, 3, 1], band])
    with pytest.raises(InputError, match="expected shares that sum to 1"):
        SCNetLike(bands=[[0.5, 1, 3, 1], [0.4, 1, 3, 1]])
    with pytest.raises(InputError, match=r"leave some without one of \d+ bins"):
        SCNetLike(n_fft=2, hop=1)
