import numpy as np
import pytest

from kerasep import importers
from kerasep.errors import InputError
from kerasep.importers import open_unmix, x_umx
from kerasep.models import OpenUnmixLike


def small(**changes):
    settings = {"sources": ["bass", "drums"], "sample_rate": 8000, "n_fft": 64, "hop": 16}
    settings |= {"hidden": 12, "lstm_layers": 1, "max_hz": 2400, "bridged": True}
    return OpenUnmixLike(**{**settings, **changes})


def their_names(state, source):
    modules = {ours: theirs.format(source) for theirs, ours in x_umx._MODULES.items()}
    named = {}
    for name, value in state.items():
        start = name.partition(".")[0] + "."
        new = modules[start] + name.removeprefix(start) if start in modules else None
        named[new or f"mean_scale.{name}_{source}"] = value
    return named


@pytest.fixture
def state(state_of):
    model, state = small(), {"encoder.0.window": np.zeros(64), "decoder.window": np.zeros(64)}
    for seed, source in enumerate(model.sources):
        state |= their_names(state_of(open_unmix.slots(model, source), seed), source)
    return state


def refused(message, function, *arguments):
    with pytest.raises(InputError, match=message) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_makes_its_model(write_checkpoint, state):
    model = x_umx.build(write_checkpoint("a.pth", {"state_dict": state}), sample_rate=8000)
    assert model.get_config() == small(max_hz=model.max_hz).get_config()
    for source in model.sources:
        kernel = np.asarray(model.get_layer(f"{source}_fc3").kernel)
        np.testing.assert_array_equal(kernel, state[f"layer_dec.{source}.dec.3.weight"].T)
        shift = np.asarray(model.get_layer(f"{source}_input").shift)
        np.testing.assert_array_equal(shift, state[f"mean_scale.input_mean_{source}"])


def test_sources_in_the_models_order(write_checkpoint, state):
    model = small(sources=["drums", "bass"])
    assert importers.load(model, write_checkpoint("a.pth", state)) is model
    kernel = np.asarray(model.get_layer("drums_fc1").kernel)
    np.testing.assert_array_equal(kernel, state["layer_enc.drums.enc.0.weight"].T)


def test_what_does_not_fit(write_checkpoint, state):
    path = write_checkpoint("a.pth", state)
    refused("without bridges", x_umx.load, small(bridged=False), path)
    refused("has bass, drums, expected the model's", x_umx.load, small(sources=["a", "b"]), path)
    refused("holds weights of another model", x_umx.load, small(hidden=10), path)
    refused("beside 2 sources", x_umx.build, write_checkpoint("b.pth", {**state, "x": np.ones(1)}))
    refused("beside 0 sources", x_umx.build, write_checkpoint("c.pth", {"x": np.ones(1)}))
