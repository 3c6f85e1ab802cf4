"""Weights for another model of their kind: what is kept has the values, the rest has not."""

import keras
import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.zoo.fitting import copy_weights

TINY = {"hidden": 8, "n_fft": 64, "hop": 16, "lstm_layers": 1, "max_hz": 2000, "channels": 1}


def open_unmix(*sources, **changes):
    """A small Open-Unmix all of whose weights, also its statistics, are random."""
    model = zoo.load("open_unmix_like/small", False, sources=sources, **{**TINY, **changes})
    return randomised(model)


def randomised(model):
    rng = np.random.default_rng(len(model.sources))
    for weight in model.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


def small(entry, *sources, **changes):
    tiny = zoo.describe(entry)["tiny"]
    return randomised(zoo.load(entry, False, **{**tiny, "sources": sources, **changes}))


def layer_weights(model, name):
    return model.get_layer(name).get_weights()


def kept(source, target, before):
    """Names of the layers that have the source's weights; the others must be as before."""
    names = set()
    for layer in target.layers:
        if not layer.weights:
            continue
        if all(map(np.array_equal, layer.get_weights(), before[layer.name])):
            continue
        np.testing.assert_equal(layer.get_weights(), layer_weights(source, layer.name))
        names.add(layer.name)
    return names


def copied(source, target):
    for weight in target.weights:
        weight.assign(-np.ones(weight.shape))
    target.trained = False
    before = {layer.name: layer.get_weights() for layer in target.layers}
    copy_weights(source, target, "some.keras")
    return kept(source, target, before)


def parts(source):
    names = ("input", "fc1", "bn1", "lstm", "fc2", "bn2", "fc3", "bn3", "output")
    return {f"{source}_{name}" for name in names}


def test_networks_of_sources_are_kept_by_their_name(caplog):
    target = open_unmix("drums", "other", "vocals")
    with caplog.at_level("INFO", "kerasep"):
        names = copied(open_unmix("vocals", "drums"), target)
    assert names == parts("vocals") | parts("drums")
    assert not target.trained
    (record,) = caplog.records
    assert "18 of 27 layers" in record.getMessage()
    assert "other_lstm (8, 16)" in record.getMessage()
    assert "vocals" not in record.getMessage().partition("initialised")[2]


def test_all_that_fits_is_a_trained_model(caplog):
    target = open_unmix("vocals")
    with caplog.at_level("INFO", "kerasep"):
        assert copied(open_unmix("drums", "vocals"), target) == parts("vocals")
    assert target.trained
    assert not caplog.records


def test_other_channels_keep_what_does_not_depend_on_them():
    names = copied(open_unmix("vocals"), open_unmix("vocals", channels=2))
    # bn1 and bn3 normalise what fc1 and fc3 return, which are new.
    assert names == parts("vocals") - {"vocals_fc1", "vocals_bn1", "vocals_fc3", "vocals_bn3"}


@pytest.mark.parametrize(
    "changes", [{"sample_rate": 8000, "max_hz": 1000}, {"hop": 8}, {"window": "hamming"}]
)
def test_statistics_of_bins_belong_to_one_transform(changes):
    source, target = open_unmix("vocals"), open_unmix("vocals", **changes)
    assert copied(source, target) == parts("vocals") - {"vocals_input", "vocals_output"}


@pytest.mark.parametrize("changes", [{"sample_rate": 44100}, {"hop": 16}, {}])
def test_another_rate_is_no_secret_if_all_layers_fit(changes, caplog):
    source, target = small("unet_like", "vocals"), small("unet_like", "vocals", **changes)
    assert copied(source, target) == {layer.name for layer in target.layers if layer.weights}
    warned = ["another sample rate or transform" in line for line in caplog.messages]
    assert warned == [True] * bool(changes)


def test_more_layers_in_a_stack_keep_those_that_are_there():
    source, target = open_unmix("vocals"), open_unmix("vocals", lstm_layers=2)
    names = {cell.name for cell in target.get_layer("vocals_lstm").cells}
    with pytest.raises(AssertionError):  # the stack is neither kept nor as before
        copied(source, target)
    assert names == {"blstm_0", "blstm_1"}
    first, second = target.get_layer("vocals_lstm").cells
    np.testing.assert_equal(first.get_weights(), layer_weights(source, "vocals_lstm"))
    assert all(np.all(array == -1) for array in second.get_weights())


def test_a_convolution_and_its_norm_go_together():
    names = copied(small("unet_like", "vocals"), small("unet_like", "vocals", channels=2))
    blocks = {"down1", "down2", "down3", "up1", "up2", "mask"}
    assert names == {f"vocals_{name}" for name in blocks - {"down1", "mask"}}
    source = small("spleeter_like", "vocals", "drums")
    names = copied(source, small("spleeter_like", "vocals", "piano", channels=1))
    assert "vocals_conv2_norm" in names
    assert not names & {"vocals_conv1", "vocals_conv1_norm"}


@pytest.mark.parametrize(
    ("entry", "heads"),
    [
        ("conv_tasnet_like", {"mask_dense"}),
        ("mask_inference_like", {"mask"}),
        ("conditioned_unet_like", {"control1"}),
        ("demucs_like", {"decoder_0_conv"}),
    ],
)
@pytest.mark.parametrize("sources", [("b", "a"), ("a", "c"), ("a", "b", "c")])
def test_only_what_depends_on_the_sources_is_new(entry, heads, sources):
    """Also if their number, and so every shape, is the same: a head for b is not one for a."""
    named = {"interchangeable": False} if entry != "demucs_like" else {}
    if "interchangeable" not in zoo.describe(entry)["arguments"]:
        named = {}
    source = small(entry, "a", "b", **named)
    source.interchangeable = False
    target = small(entry, *sources, **named)
    names = copied(source, target)
    assert names == {layer.name for layer in target.layers if layer.weights} - heads


def test_speakers_that_have_no_names_are_kept():
    source, target = small("conv_tasnet_like", "a", "b"), small("conv_tasnet_like", "c", "d")
    assert source.interchangeable
    assert "mask_dense" in copied(source, target)
    assert target.trained


def test_the_head_inside_a_stack_of_blocks(caplog):
    source, target = small("dprnn_like", "a", "b"), small("dprnn_like", "a", "b", "c")
    with caplog.at_level("INFO", "kerasep"):
        copy_weights(source, target, "some.keras")
    assert "initialised: separator/outputs" in caplog.text
    np.testing.assert_equal(layer_weights(target, "gate"), layer_weights(source, "gate"))


def test_weights_of_which_nothing_fits():
    source, target = open_unmix("vocals"), open_unmix("vocals", hidden=10)
    before = target.get_weights()
    with pytest.raises(InputError, match="expected weights of open_unmix_like with the same"):
        copy_weights(source, target, "some.keras")
    np.testing.assert_equal(target.get_weights(), before)
    with pytest.raises(InputError, match="of the class OpenUnmixLike"):
        copy_weights(source, small("unet_like", "vocals"), "some.keras")


@pytest.mark.parametrize("kind", ["model.keras", "folder", "some.weights.h5"])
def test_load_takes_weights_of_other_sources(kind, tmp_path, monkeypatch):
    """From each kind of file; a file of weights alone fits if the preset is what was trained."""
    arguments = {**TINY, "sources": ["vocals", "drums"]}
    cards = zoo.cards.all_cards()
    cards["open_unmix_like"]["presets"]["small"]["arguments"].update(arguments)
    monkeypatch.setattr(zoo.cards, "all_cards", lambda: cards)
    source = open_unmix("vocals", "drums")
    path = tmp_path / ("some.weights.h5" if kind == "some.weights.h5" else "model.keras")
    (source.save_weights if kind == "some.weights.h5" else source.save)(path)
    weights = tmp_path if kind == "folder" else path
    model = zoo.load("open_unmix_like/small", weights, sources=["bass", "vocals", "other"])
    for part in parts("vocals"):
        np.testing.assert_equal(layer_weights(model, part), layer_weights(source, part))
    assert not np.array_equal(layer_weights(model, "bass_fc1"), layer_weights(source, "drums_fc1"))
    assert not model.trained


def test_weights_of_another_preset():
    model = zoo.load("unet_like/wide", "unet_like/karaoke", sources=["vocals"], dropout=0.1)
    source = zoo.load("unet_like/karaoke")
    assert model.licence == source.licence == "research use only"
    for name in ("vocals_down2", "vocals_down3", "vocals_up1", "vocals_up2"):
        np.testing.assert_equal(layer_weights(model, name), layer_weights(source, name))
    with pytest.raises(InputError, match="of the class OpenUnmixLike"):
        zoo.load("unet_like/karaoke", "open_unmix_like/phone")


def test_a_damaged_file_is_still_refused(tmp_path):
    source = open_unmix("vocals", "drums")
    source.save(tmp_path / "model.keras")
    content = (tmp_path / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(content[:-300])
    with pytest.raises(InputError, match="damaged"):
        zoo.load("open_unmix_like/small", tmp_path / "model.keras", **TINY, sources=["vocals"])


def test_fitting_does_not_change_the_trained_model():
    source = open_unmix("vocals", "drums")
    before = source.get_weights()
    copied(source, open_unmix("drums"))
    np.testing.assert_equal(source.get_weights(), before)
    assert not keras.src.backend.common.global_state.get_global_attribute(
        "uninitialized_variables", []
    )
