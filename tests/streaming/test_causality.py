"""A change of the input changes nothing that lies more than the latency before it."""

import keras
import numpy as np
import pytest

from kerasep import zoo
from tests.streaming.small_streams import SMALL, noise, separated


@pytest.mark.parametrize("kind", SMALL)
def test_an_impulse_is_not_heard_before_its_time(kind):
    model, separator = separated(kind)
    places = (600, 613)
    batch = np.repeat(noise(1000, model.channels)[None], 3, axis=0)
    for index, place in enumerate(places):
        batch[index, place] += 0.5
    *changed, plain = keras.ops.convert_to_numpy(separator(batch))
    for place, result in zip(places, changed, strict=True):
        first = np.flatnonzero(np.abs(result - plain).max(axis=(1, 2)) > 1e-6)[0]
        assert place - model.latency < first <= place


def test_causal_presets_say_their_latency():
    names = [
        *("open_unmix_like/causal", "mask_inference_like/enhancement", "tasnet_like/lstm"),
        *("conv_tasnet_like/causal", "dprnn_like/causal", "dtln_like", "hs_tasnet_like"),
        *("gtcrn_like", "ul_unas_like"),
    ]
    found = [zoo.describe(name)["size"]["latency"] for name in names]
    assert found == [4096, 512, 40, 16, 808, 512, 1024, 512, 512]
