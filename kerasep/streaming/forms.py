"""The streaming forms: how layers that remember earlier frames compute one step."""

import keras

from kerasep import layers
from kerasep.streaming import bands, convolutional, dual_path, filterbanks, recurrent
from kerasep.streaming.walk import raise_cannot_stream

# Layers that cut frames out of the waveform, and so define a hop.
ANALYSES = (layers.STFT, layers.LearnedAnalysis, layers.GatedAnalysis)


def wiener_filter(walk, layer, spectrum, source_magnitudes):
    """Combine the estimates with the mixture's phase. Iterations need the whole recording."""
    if layer.iterations:
        raise_cannot_stream(layer, "iterates over the whole recording")
    return walk.plain(layer, spectrum, source_magnitudes)


# class of layer -> function of (walk, layer, *arguments)
FORMS = {
    keras.layers.Cropping1D: filterbanks.silence_cut,
    keras.layers.ZeroPadding1D: filterbanks.silence_around,
    layers.CausalConv2D: bands.causal_conv_2d,
    layers.CumulativeLayerNormalization: convolutional.cumulative_norm,
    layers.DualPathNet: dual_path.dual_path_net,
    layers.FrequencyAttention: bands.frequency_attention,
    layers.GatedAnalysis: filterbanks.learned_analysis,
    layers.GroupedGRU: bands.grouped_gru,
    layers.InverseSTFT: filterbanks.inverse_stft,
    layers.LearnedAnalysis: filterbanks.learned_analysis,
    layers.LearnedSynthesis: filterbanks.learned_synthesis,
    layers.RecurrentStack: recurrent.recurrent_stack,
    layers.STFT: filterbanks.stft,
    layers.TemporalAttention: bands.temporal_attention,
    layers.TemporalConvNet: convolutional.temporal_conv_net,
    layers.WienerFilter: wiener_filter,
}
