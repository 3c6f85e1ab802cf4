"""Checkpoints of GTCRN and UL-UNAS: made up, and the published ones on real recordings."""

import os
import pathlib

import numpy as np
import pytest

from kerasep import data, importers, zoo
from kerasep.errors import InputError
from kerasep.importers import gtcrn, ul_unas
from kerasep.metrics import scores
from kerasep.ops import erb_filterbank

WEIGHTS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))
PUBLISHED = pytest.mark.skipif(
    not (WEIGHTS / "gtcrn").is_dir(), reason="no published weights: set KERASEP_WEIGHTS"
)
MODULES = {"gtcrn_like": gtcrn, "ul_unas_like": ul_unas}

ATTENTION = {
    "gtcrn_like": ("encoder_2_attention", "encoder.en_convs.2.tra.att_gru"),
    "ul_unas_like": ("encoder_0_temporal", "encoder.en_convs.0.ops.4.ta_gru"),
}


def tiny(entry):
    return zoo.load(entry, weights=False, **zoo.describe(entry)["tiny"])


def checkpoint_of(model, module, state_of):
    """Return a checkpoint of random weights, with the fixed filters."""
    filters = erb_filterbank(model.n_fft, model.sample_rate, model.low, model.bands)
    fixed = {"erb.erb_fc.weight": filters.T, "erb.ierb_fc.weight": filters}
    return {**state_of(module._slots(model)), **fixed}


@pytest.mark.parametrize("entry", MODULES)
def test_a_checkpoint_sets_every_weight(entry, state_of, write_checkpoint):
    model = tiny(entry)
    state = checkpoint_of(model, MODULES[entry], state_of)
    path = write_checkpoint("model.tar", {"epoch": 1, "model": state})
    importers.load(model, path)
    assert model.trained
    slots = list(MODULES[entry]._slots(model))
    counted = [slot.variable for slot in slots]
    assert {id(variable) for variable in counted} == {id(one) for one in model.weights}
    # A transposed convolution of two groups, flipped in time and frequency.
    if entry == "gtcrn_like":
        kernel = np.asarray(model.get_layer("decoder_1_conv").kernel)
        theirs = state["decoder.de_convs.1.conv.weight"]
        assert kernel[0, 0, 1, 5] == theirs[4 + 1, 1, 0, 4]
    # PyTorch's gates are reset, update, new; Keras' update, reset, new.
    attention = model.get_layer(ATTENTION[entry][0])
    name = f"{ATTENTION[entry][1]}.weight_ih_l0"
    (cell,) = attention.recurrent.cells
    units = cell.units
    kernel = np.asarray(cell.kernel)
    np.testing.assert_array_equal(kernel[:, :units], state[name][units : 2 * units].T)
    np.testing.assert_array_equal(kernel[:, units : 2 * units], state[name][:units].T)


def test_refusals(state_of, write_checkpoint):
    model = tiny("gtcrn_like")
    state = checkpoint_of(model, gtcrn, state_of)
    before = [np.asarray(weight) for weight in model.weights]

    def refused(message, **changes):
        path = write_checkpoint("model.tar", {"model": {**state, **changes}})
        with pytest.raises(InputError, match=message) as caught:
            importers.load(model, path)
        assert "\n" not in str(caught.value)

    refused("other filters in erb.erb_fc.weight", **{"erb.erb_fc.weight": np.ones((16, 48), "f")})
    refused("expected .*48, 16.*preset", **{"erb.ierb_fc.weight": np.ones((3, 3), "f")})
    refused("1 not expected", more=np.ones(3, "f"))
    for one, other in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(one, np.asarray(other))
    with pytest.raises(InputError, match="model of GTCRNLike, expected ULUNASLike"):
        ul_unas.load(model, "model.tar")


def agreement(expected, received):
    """Return the level of the expected signal above the difference, in dB."""
    return 10 * np.log10(np.square(expected).sum() / np.square(expected - received).sum())


def cleaned(model, waveform):
    return model.predict(waveform[None, :, None], verbose=0)[0, :, 0, 0]


def clip(name):
    return data.read(WEIGHTS / "ul_unas" / "audio" / name / "0119.wav")[0][:, 0]


@PUBLISHED
def test_gtcrn_equals_the_original_on_real_recordings():
    model = zoo.load("gtcrn_like", weights=False)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 23669
    golden = np.load(WEIGHTS / "golden" / "gtcrn_on_mix.npz")
    files = {"dns3": "checkpoints/model_trained_on_dns3.tar"}
    files |= {"vctk": "stream/onnx_models/model_trained_on_vctk.tar"}
    files |= {"stream_dns3": "stream/onnx_models/model_trained_on_dns3.tar"}
    outputs, ratios = {}, {}
    for name, file in files.items():
        importers.load(model, WEIGHTS / "gtcrn" / file)
        outputs[name] = cleaned(model, golden["x"])[: len(golden[name])]
        assert agreement(golden[name], outputs[name]) > 100
        estimate = cleaned(model, clip("noisy"))
        ratios[name] = scores(clip("clean")[:, None], estimate[:, None], ["si_sdr"])["si_sdr"]
    assert max(ratios.values()) == pytest.approx(12.24, abs=0.05)
    enhanced, _ = data.read(WEIGHTS / "gtcrn" / "stream" / "test_wavs" / "enh.wav")
    assert agreement(enhanced[:, 0], outputs["stream_dns3"][: len(enhanced)]) > 60


@PUBLISHED
def test_ul_unas_equals_the_original_on_real_recordings():
    model = zoo.load("ul_unas_like", weights=False)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 146752
    importers.load(model, WEIGHTS / "ul_unas" / "checkpoints" / "model_trained_on_dns3.tar")
    golden = np.load(WEIGHTS / "golden" / "ulunas_on_0119.npz")
    output = cleaned(model, golden["x"])
    assert agreement(golden["y"], output[: len(golden["y"])]) > 100
    assert agreement(clip("enhanced"), output) > 60
    noisy, clean = clip("noisy")[:, None], clip("clean")[:, None]
    assert scores(clean, noisy, ["si_sdr"])["si_sdr"] == pytest.approx(7.48, abs=0.01)
    ratio = scores(clean, output[:, None], ["si_sdr"])["si_sdr"]
    assert ratio == pytest.approx(13.44, abs=0.05)
