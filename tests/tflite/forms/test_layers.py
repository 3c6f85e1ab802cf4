"""Layers as TFLite files: builtin operations alone, and the layer's own numbers."""

import functools

import keras
import numpy as np
import pytest

from kerasep import layers
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.interpreter import Interpreter

FRAMES = (1, 12, 6)
MASK = (1, 12, 5, 2, 3)
# name -> layer, shapes of its inputs
EXAMPLES = {
    **{
        f"mask head, {activation}": (layers.MaskHead(5, 2, 3, activation), [FRAMES])
        for activation in ("sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax")
    },
    "embedding head": (layers.EmbeddingHead(5, 2, 4), [FRAMES]),
    "embedding of any length": (layers.EmbeddingHead(5, 2, 4, unit_norm=False), [FRAMES]),
    "decibels": (layers.Decibels(2.0), [MASK[:4]]),
    "k-means": (layers.KMeans(3), [(1, 60, 33, 2, 8), (1, 60, 33, 2)]),
    "k-means of two": (layers.KMeans(2, seed=3), [(1, 60, 33, 1, 20), (1, 60, 33, 1)]),
    "soft k-means": (layers.SoftKMeans(3, iterations=3), [(1, 60, 33, 2, 8), (1, 60, 33, 2)]),
    "attractor masks": (layers.AttractorMask("sigmoid"), [(1, 12, 5, 2, 4), MASK, MASK[:4]]),
    "mask on a magnitude": (layers.ApplyMask(), [MASK, MASK[:4]]),
    "mask on a spectrum": (layers.ApplyMask(), [MASK, (*MASK[:4], 2)]),
    "inverted mask": (layers.InvertMask(), [MASK]),
    "binary mask": (layers.BinaryMask(), [MASK]),
    "binary mask by threshold": (layers.BinaryMask(0.5), [MASK]),
    "consistent waveforms": (layers.MixtureConsistency(), [(1, 90, 2, 3), (1, 90, 2)]),
    "consistent spectra": (layers.MixtureConsistency("power"), [(*MASK, 2), (*MASK[:4], 2)]),
    "gLN": (layers.GlobalLayerNormalization(), [FRAMES]),
    "cLN": (layers.CumulativeLayerNormalization(), [FRAMES]),
    "cLN of many frames": (layers.CumulativeLayerNormalization(), [(1, 1100, 4)]),
    "cLN, streaming": (layers.CumulativeLayerNormalization(return_state=True), [FRAMES, (1, 3)]),
    "whitening": (layers.Whitening(), [MASK[:4]]),
    "LSTM": (layers.RecurrentStack(4, 2, residual=True, skip=True), [FRAMES]),
    "GRU": (layers.RecurrentStack(4, cell="gru"), [FRAMES]),
    "LSTM, streaming": (
        layers.RecurrentStack(4, 2, bidirectional=False, return_state=True),
        [FRAMES, (1, 4, 4)],
    ),
    "GRU, streaming": (
        layers.RecurrentStack(4, 2, bidirectional=False, cell="gru", return_state=True),
        [(1, 1, 6), (1, 2, 4)],
    ),
    "LSTM along bands": (layers.AxialLSTM(4, axis=2), [(1, 12, 5, 6)]),
    "convolution module": (layers.ConvolutionModule(2), [(1, 12, 5, 8)]),
    "TCN, gLN": (layers.TemporalConvNet(2, 2, 8, 12, 8), [FRAMES]),
    "TCN, causal": (layers.TemporalConvNet(2, 1, 8, 12, 0, norm="batch", causal=True), [FRAMES]),
    "strided block": (layers.EncoderBlock2D(4, stride=(3, 2)), [(1, 7, 9, 2)]),
    "max pool block": (layers.EncoderBlock2D(4, 3, downsampling="max"), [(1, 7, 9, 2)]),
    "mean pool block": (layers.EncoderBlock2D(4, 3, downsampling="average"), [(1, 7, 9, 2)]),
    "decoder block": (layers.DecoderBlock2D(4), [(1, 4, 5, 3), (1, 7, 9, 2)]),
    "learned analysis": (layers.LearnedAnalysis(32, 16, activation="relu"), [(1, 333, 2)]),
    "sinc analysis": (layers.SincAnalysis(32, 17), [(1, 333, 2)]),
    "gammatone analysis": (layers.GammatoneAnalysis(64, 16), [(1, 333, 2)]),
    "learned synthesis": (layers.LearnedSynthesis(16), [(1, 41, 32, 2, 3), (1, 333, 2)]),
    "inverse mel scale": (layers.InverseMelScale(8000, 128), [(1, 12, 10, 2)]),
    "FFT of features, even": (layers.FeatureFFT(), [(1, 12, 5, 6)]),
    "FFT of features, odd": (layers.FeatureFFT(), [(1, 7, 5, 6)]),
    "inverse FFT of features": (layers.InverseFeatureFFT(), [(1, 7, 5, 6)]),
    "inverse FFT of two frames": (layers.InverseFeatureFFT(), [(1, 2, 5, 6)]),
    "splitting into chunks": (layers.SplitChunks(5, 2), [(1, 12, 6, 2)]),
    "joining chunks": (layers.JoinChunks(2), [(4, 5, 6, 2), (1, 12, 6, 2)]),
    "Griffin-Lim": (
        layers.GriffinLim(64, 16, iterations=2),
        [(1, 12, 33, 2), (1, 12, 33, 2, 2), (1, 180, 2)],
    ),
    "MISI": (layers.MISI(64, 16, iterations=1), [(1, 180, 2), (1, 12, 33, 2, 3)]),
}


TOGETHER = 6  # layers in a file: more or fewer of them take longer to convert


def model_of(name):
    """A model of one layer."""
    layer, shapes = EXAMPLES[name]
    inputs = [keras.Input(shape[1:], batch_size=shape[0]) for shape in shapes]
    streamed = len(shapes) == 2 and "streaming" in name
    outputs = layer(inputs[0], state=inputs[1]) if streamed else layer(*inputs)
    return keras.Model(inputs, outputs)


def signature_of(model):
    def function(**tensors):
        results = keras.tree.flatten(model([tensors[f"x{i}"] for i in range(len(model.inputs))]))
        return {f"y{index}": result for index, result in enumerate(results)}

    return function, {f"x{i}": tensor.shape for i, tensor in enumerate(model.inputs)}


@functools.cache
def converted(group):
    """Models of several layers, and a file that has a signature for each."""
    names = list(EXAMPLES)[group * TOGETHER :][:TOGETHER]
    models = {name: model_of(name) for name in names}
    together = keras.Model(
        [tensor for model in models.values() for tensor in model.inputs],
        [tensor for model in models.values() for tensor in keras.tree.flatten(model.outputs)],
    )
    signatures = {f"layer{i}": signature_of(model) for i, model in enumerate(models.values())}
    with export_forms(together):
        content, _ = convert(together, signatures)
    return models, Interpreter(content, threads=1)


@pytest.mark.parametrize("name", EXAMPLES)
def test_only_builtins_and_the_same_numbers(name):
    group, index = divmod(list(EXAMPLES).index(name), TOGETHER)
    models, run = converted(group)
    rng = np.random.default_rng(0)
    arrays = {f"x{i}": rng.random(x.shape, "float32") for i, x in enumerate(models[name].inputs)}
    expected = keras.tree.flatten(models[name](list(arrays.values())))
    received = run(f"layer{index}", **arrays)
    assert len(received) == len(expected)
    for index, value in enumerate(expected):
        scale = max(1, np.abs(value).max())
        np.testing.assert_allclose(received[f"y{index}"], value, atol=2e-5 * scale)
