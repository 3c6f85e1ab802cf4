"""DNSMOS P.835: how people would rate speech, predicted without the clean recording."""

import functools
import os
from collections.abc import Iterator

import keras
import numpy as np

from kerasep.data.audio.reading import resample
from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.onnx_file import read_graph
from kerasep.zoo.downloads import fetch

# The file of its authors, at a commit, under the MIT licence.
URL = (
    "https://raw.githubusercontent.com/microsoft/DNS-Challenge/"
    "591184a9fcb2cbdec02520fed81a32bbbf9d73ff/DNSMOS/DNSMOS/sig_bak_ovr.onnx"
)
SHA256 = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"
BYTES = 1157965
SAMPLE_RATE = 16000
_SAMPLES = 144160  # of a segment
_SECONDS = 9.01
_HOP = 160
_FRAMES = 900
_BINS = 161
_FILTERS = (128, 64, 64, 32, 32, 32, 64)
_POOLED = (3, 4, 5)  # convolutions that are followed by pooling
_UNITS = (128, 64, 3)
# From what the network returns to ratings, the highest power first.
_POLYNOMIALS = {
    "dnsmos_sig": (-0.08397278, 1.22083953, 0.0052439),
    "dnsmos_bak": (-0.13166888, 1.60915514, -0.39604546),
    "dnsmos_ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
_PREFIX = "mos_estimator_logpow"
_NAMES = {"dense_0": "dense", "dense_1": "dense_1", "dense_2": "dense_3"}


def dnsmos(
    waveform: np.ndarray, sample_rate: int, weights: str | os.PathLike | None = None
) -> dict[str, float]:
    """Rate speech by DNSMOS P.835, without a clean reference.

    A recording is rated in segments of 9.01 s, one per second; a shorter one is repeated first.
    Ratings are means over segments and channels.

    Args:
        waveform: speech `(samples, channels)`, full scale ±1.
        sample_rate: in Hz. Speech at other rates is resampled to 16 kHz.
        weights: path of its authors' `sig_bak_ovr.onnx`. Default: it is downloaded once, 1.2 MB.

    Returns:
        Dict of mean opinion scores, about 1 to 5: "dnsmos_sig" of the speech, "dnsmos_bak" of the
        background (5 is silent) and "dnsmos_ovrl" overall.

    Raises:
        InputError: for a waveform without samples or of another shape, or if the weights cannot be
            downloaded or are of another network.

    Example:
    ```python
    import numpy as np
    from kerasep.evaluation import dnsmos

    try:
        dnsmos(np.zeros((16000, 1), "float32"), 16000, weights="sig_bak_ovr.onnx")
    except ValueError as error:
        assert "sig_bak_ovr.onnx, which is not a file" in str(error)
    ```

    Reference:
        Reddy et al. 2022, "DNSMOS P.835: a non-intrusive perceptual objective speech quality metric
        to evaluate noise suppressors". https://github.com/microsoft/DNS-Challenge
    """
    if np.ndim(waveform) != 2 or not np.size(waveform):
        raise InputError(
            f"received a waveform {np.shape(waveform)}, expected (samples, channels) with samples"
        )
    model = network(os.fspath(weights) if weights else None)
    speech = resample(np.asarray(waveform, "float32"), sample_rate, SAMPLE_RATE)
    ratings = [_ratings(model, channel) for channel in speech.T]
    return dict(zip(_POLYNOMIALS, np.mean(ratings, axis=0).tolist(), strict=True))


@functools.lru_cache(1)
def network(weights: str | None = None) -> keras.Model:
    """Build the network with its authors' weights, from a file or downloaded."""
    path = weights or fetch(URL, SHA256, size=BYTES)
    model = build()
    state = {name: array for name, array in read_graph(path).arrays.items() if array.ndim}
    state = {name: array for name, array in state.items() if array.dtype.kind == "f"}
    weight_map.assign(path, _slots(model), state, "give the file sig_bak_ovr.onnx of DNSMOS")
    return model


def build() -> keras.Model:
    """Build the network: 144,160 samples to three numbers that `_POLYNOMIALS` turn into ratings."""
    waveform = keras.Input((_SAMPLES,), name="waveform")
    # Frames of two hops.
    halves = [
        keras.layers.Reshape((_FRAMES, _HOP))(waveform[:, start : start + _FRAMES * _HOP])
        for start in (0, _HOP)
    ]
    frames = keras.layers.Concatenate(name="frames")(halves)
    real, imaginary = (
        keras.layers.Dense(_BINS, use_bias=False, name=f"stft-{part}")(frames)
        for part in ("real", "imag")
    )
    power = keras.ops.maximum(real * real + imaginary * imaginary, 1e-12)
    x = keras.ops.expand_dims(keras.ops.log(power) / np.log(10), -1)
    for index, filters in enumerate(_FILTERS):
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", name=f"conv2d_{index}"
        )(x)
        if index in _POOLED:
            x = keras.layers.MaxPooling2D(name=f"pool_{index}")(x)
    x = keras.layers.GlobalMaxPooling2D(name="peaks")(x)
    for index, units in enumerate(_UNITS):
        activation = "relu" if index < len(_UNITS) - 1 else None
        x = keras.layers.Dense(units, activation=activation, name=f"dense_{index}")(x)
    return keras.Model(waveform, x, name="dnsmos")


def _slots(model: keras.Model) -> Iterator[weight_map.Slot]:
    for part in ("stft-real", "stft-imag"):
        kernel = model.get_layer(part).kernel
        shape = (*kernel.shape[::-1], 1)
        yield weight_map.Slot(
            (f"time2freq/{part}/kernel:0",), (shape,), kernel, lambda value: value[..., 0].T
        )
    for index in range(len(_FILTERS)):
        layer = model.get_layer(f"conv2d_{index}")
        name = f"conv2d_{index}" if index else "conv2d"
        yield weight_map.transposed(f"{name}/kernel:0", layer.kernel, (2, 3, 1, 0))
        yield weight_map.same(f"{name}/bias:0", layer.bias)
    for ours, theirs in _NAMES.items():
        layer, end = model.get_layer(ours), "ReadVariableOp/resource:0"
        yield weight_map.same(f"{_PREFIX}/{theirs}/MatMul/{end}", layer.kernel)
        yield weight_map.same(f"{_PREFIX}/{theirs}/BiasAdd/{end}", layer.bias)


def _ratings(model, signal):
    """Return the three ratings of a signal, means over its segments."""
    while len(signal) < _SAMPLES:
        signal = np.concatenate([signal, signal])
    count = int(len(signal) // SAMPLE_RATE - _SECONDS) + 1
    ratings = []
    for index in range(count):
        segment = signal[index * SAMPLE_RATE : int((index + _SECONDS) * SAMPLE_RATE)]
        if len(segment) < _SAMPLES:  # by rounding, from 7 to 23 s: the original leaves them out too
            continue
        raw = keras.ops.convert_to_numpy(model(segment[None]))[0]
        polynomials = zip(_POLYNOMIALS.values(), raw, strict=True)
        ratings.append([np.polyval(coefficients, value) for coefficients, value in polynomials])
    return np.mean(ratings, axis=0)
