"""Counts of weights and multiply-adds, beside sums by hand and what the presets say."""

import keras
import pytest

from kerasep import models, zoo
from kerasep.models import SeparationModel
from kerasep.models.building import build
from kerasep.zoo.costs import costs


class Layers(SeparationModel):
    """A chain of layers on a waveform of 100 Hz."""

    domain = "waveform"

    def __init__(self, *layers):
        waveform = x = keras.Input((None, 2))
        for layer in layers:
            x = layer(x)
        super().__init__(waveform, x)
        self.sample_rate, self.channels = 100, 2


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([keras.layers.Dense(5)], 100 * 2 * 5),
        ([keras.layers.Conv1D(5, 3, padding="same")], 100 * 3 * 2 * 5),
        ([keras.layers.Conv1D(5, 4, strides=2, padding="same")], 50 * 4 * 2 * 5),
        ([keras.layers.Conv1DTranspose(5, 4, strides=2, padding="same")], 100 * 4 * 2 * 5),
        ([keras.layers.DepthwiseConv1D(3, padding="same")], 100 * 3 * 2),
        ([keras.layers.LSTM(5, return_sequences=True)], 100 * 4 * 5 * (2 + 5)),
        ([keras.layers.GRU(5, return_sequences=True)], 100 * 3 * 5 * (2 + 5)),
        (
            [keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True))],
            2 * 100 * 4 * 5 * (2 + 5),
        ),
        ([keras.layers.Dense(4), keras.layers.ReLU(), keras.layers.Dense(3)], 100 * (2 + 3) * 4),
    ],
)
def test_one_layer(layers, expected):
    model = Layers(*layers)
    found = costs(model, seconds=3)
    assert found == {"parameters": model.count_params(), "macs": expected}
    assert all("call" not in vars(layer) for layer in model._flatten_layers())


class CountedError(Exception):
    """Ends the making of a model before its weights get values, which can be gigabytes."""


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.list_entries())
def test_presets_say_their_size(name):
    card, size = zoo.describe(name), {}

    def count(model):
        size.update(costs(model), latency=model.latency)
        raise CountedError

    with pytest.raises(CountedError):
        build(getattr(models, card["class"]), card["arguments"], count)
    assert card["size"] == size, f'give the preset "size": {size}'
