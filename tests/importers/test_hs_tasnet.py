import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import hs_tasnet
from kerasep.models import HSTasNetLike

BINS, CHANNELS, SOURCES, FILTERS, UNITS = 9, 2, 3, 5, 4


def small(**changes):
    settings = {"sources": ["a", "b", "c"], "kernel_size": 16, "filters": FILTERS, "units": UNITS}
    return HSTasNetLike(**{**settings, **changes})


@pytest.fixture
def state(state_of):
    """Weights under the original's names, with what is left out."""
    unused = {"conv_decode.bias": np.ones(2), "stft.window": np.ones(16)}
    return {**state_of(hs_tasnet._slots(small())), **unused, "conv_decode.window": np.ones(16)}


def weight(model, layer, name="kernel"):
    return convert_to_numpy(getattr(model.get_layer(layer), name))


def test_every_weight_in_its_place(write_checkpoint, state):
    model = small()
    contents = {"model": state, "config": b"a pickle, which is not read"}
    assert importers.load(model, write_checkpoint("a.pt", contents)) is model
    assert model.trained
    inputs = state["spec_encode.1.weight"].reshape(UNITS, CHANNELS, BINS, 2)
    ours = weight(model, "spectrum_dense").reshape(BINS, CHANNELS, 2, UNITS)
    np.testing.assert_array_equal(ours[7, 1, 0], inputs[:, 1, 7, 0])
    outputs = state["to_spec_masks.1.weight"].reshape(CHANNELS, BINS, 2, SOURCES, UNITS)
    ours = weight(model, "mask_spectrum").reshape(UNITS, BINS, CHANNELS, SOURCES, 2)
    np.testing.assert_array_equal(ours[:, 7, 1, 2, 0], outputs[1, 7, 0, 2])
    biases = state["to_waveform_masks.1.bias"].reshape(SOURCES, FILTERS)
    ours = weight(model, "mask_features", "bias").reshape(FILTERS, SOURCES)
    np.testing.assert_array_equal(ours, biases.T)
    ours = weight(model, "encoder", "filters").reshape(2 * FILTERS, 16, CHANNELS)
    np.testing.assert_array_equal(ours[3, :, 1], state["conv_encode.weight"][3, 1])
    np.testing.assert_array_equal(
        weight(model, "decoder_1", "filters"), state["conv_decode.weight"][:, 1]
    )


def test_what_does_not_fit(write_checkpoint, state):
    path = write_checkpoint("a.pt", state)
    for model, message in [
        (small(small=True), "20 not expected .*fusion_branch.weight_ih_l0 received"),
        (small(sources=["a", "b"]), "of another shape .to_spec_masks.1.weight received"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            hs_tasnet.load(model, path)
        assert "\n" not in str(caught.value)
        assert not model.trained
