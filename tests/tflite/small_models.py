"""Models that export in a second, for tests of what surrounds the graph."""

import keras


def waveform_model(inputs, outputs, sources=("a", "b")):
    """A Functional model from waveform to waveforms, mono at 8 kHz."""
    model = keras.Model(inputs, outputs)
    model.sources, model.sample_rate, model.channels = sources, 8000, 1
    return model


def convolution(sources=("a", "b")):
    """One convolution that gives both sources."""
    inputs = keras.Input((None, 1))
    outputs = keras.layers.Conv1D(2, 9, padding="same")(inputs)[:, :, None]
    return waveform_model(inputs, outputs, sources)
