"""Which layers remember something from frame to frame, and how they compute one step."""

from kerasep import layers
from kerasep.streaming import convolutional, dual_path, filterbanks, recurrent
from kerasep.streaming.walk import refuse

# Layers that cut frames out of the waveform; they say what a hop is.
ANALYSES = (layers.STFT, layers.LearnedAnalysis, layers.GatedAnalysis)


def wiener_filter(walk, layer, spectrum, source_magnitudes):
    """Give the estimates the mixture's phase; more needs the whole recording."""
    if layer.iterations:
        refuse(layer, "iterates over the whole recording")
    return walk.plain(layer, spectrum, source_magnitudes)


# class of layer -> function of (walk, layer, *arguments)
FORMS = {
    layers.CumulativeLayerNormalization: convolutional.cumulative_norm,
    layers.DualPathNet: dual_path.dual_path_net,
    layers.GatedAnalysis: filterbanks.learned_analysis,
    layers.InverseSTFT: filterbanks.inverse_stft,
    layers.LearnedAnalysis: filterbanks.learned_analysis,
    layers.LearnedSynthesis: filterbanks.learned_synthesis,
    layers.RecurrentStack: recurrent.recurrent_stack,
    layers.STFT: filterbanks.stft,
    layers.TemporalConvNet: convolutional.temporal_conv_net,
    layers.WienerFilter: wiener_filter,
}
