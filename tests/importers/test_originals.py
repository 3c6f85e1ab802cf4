"""Originals that are not there, and weights that are of another network."""

import sys
import types

import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.importers import originals


def small(name):
    return zoo.load(name, weights=False, **zoo.describe(name)["tiny"])


def test_models_without_an_original_to_run(tmp_path):
    with pytest.raises(originals.MissingOriginalError, match="SpleeterLike, of which no package"):
        originals.separate(small("spleeter_like"), "model.index", np.zeros((99, 2)))
    with pytest.raises(originals.MissingOriginalError, match="expected an ONNX file"):
        originals.separate(small("mdx_net_like"), "vocals.ckpt", np.zeros((99, 2)))
    bridged = zoo.load("open_unmix_like/x_umx", **zoo.describe("open_unmix_like")["tiny"])
    with pytest.raises(originals.MissingOriginalError, match="of which no package"):
        originals.package_of(bridged)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("open_unmix_like/umxse", "openunmix"),
        ("conv_tasnet_like", "asteroid"),
        ("demucs_like", "demucs==2.0.3"),
        ("htdemucs_like", "demucs>=4.1"),
        ("bs_roformer_like", "pymss-core"),
        ("hs_tasnet_like", "hs-tasnet"),
    ],
)
def test_the_line_names_the_package(monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, "torch", None)
    line = rf"received no package torch, .* of model.pth: pip install '{package}'"
    with pytest.raises(originals.MissingOriginalError, match=line) as caught:
        originals.separate(small(name), "model.pth", np.zeros((99, 1)))
    assert "\n" not in str(caught.value)


def test_weights_of_another_network(monkeypatch):
    """A network answers as PyTorch's do: what it misses, and what it did not expect."""
    torch = types.SimpleNamespace(from_numpy=lambda array: array)
    monkeypatch.setitem(sys.modules, "torch", torch)

    def network(missing, unexpected):
        keys = types.SimpleNamespace(missing_keys=missing, unexpected_keys=unexpected)
        found = types.SimpleNamespace(
            load_state_dict=lambda state, strict: keys,
            named_buffers=lambda: [("window", None)],
        )
        found.eval = lambda: found
        return found

    constant = network(["window"], [])
    assert originals._filled(constant, {}) is constant
    with pytest.raises(InputError, match=r"missing \['fc2.weight'\], not expected \[\]"):
        originals._filled(network(["window", "fc2.weight"], []), {})
    with pytest.raises(InputError, match=r"missing \[\], not expected \['fc4.weight'\]"):
        originals._filled(network([], ["fc4.weight"]), {})
