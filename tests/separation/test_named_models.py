"""Models by name or path in `kerasep.separate`, and the warning about random weights."""

import numpy as np
import pytest

import kerasep
from kerasep import data, zoo
from kerasep.errors import InputError


@pytest.fixture(scope="module")
def song():
    return sum(data.song(5, 1.0, 16000, 1).values())


def tiny():
    return zoo.load("unet_like", False, **zoo.describe("unet_like")["tiny"])


def test_a_name_and_no_model_at_all(song, tmp_path, caplog):
    data.write(tmp_path / "song.wav", song, 16000)
    expected = kerasep.separate(zoo.load(zoo.BEST_FOR_SONGS), tmp_path / "song.wav")
    for stems in (
        kerasep.separate("mdx_net_like/karaoke", tmp_path / "song.wav"),
        kerasep.separate(audio=tmp_path / "song.wav"),
        kerasep.separate(None, tmp_path / "song.wav"),
    ):
        assert list(stems) == ["vocals", "accompaniment"]
        np.testing.assert_allclose(stems["vocals"], expected["vocals"], atol=1e-6)
    paths = kerasep.separation.separate_file(None, tmp_path / "song.wav", tmp_path / "stems")
    np.testing.assert_allclose(data.read(paths["vocals"])[0], expected["vocals"], atol=1e-4)
    assert not warnings(caplog)


def test_a_path(song, tmp_path, caplog):
    model = tiny()
    model.save(tmp_path / "model.keras")
    expected = kerasep.separate(model, song)
    for path in (tmp_path, str(tmp_path / "model.keras")):
        np.testing.assert_allclose(
            kerasep.separate(path, song)["vocals"], expected["vocals"], atol=1e-6
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("unet_like",), "unet_like/singing, which has no trained weights.*unet_like/karaoke"),
        (("unet_lik",), "did you mean unet_like"),
        (("model.tflite",), r"pass kerasep.tflite.Runtime\('model.tflite'\)"),
        (("missing.keras",), "missing.keras, which is not there"),
    ],
)
def test_names_that_are_no_trained_model(song, arguments, message):
    with pytest.raises(InputError, match=message):
        kerasep.separate(*arguments, song)


def test_audio_that_was_forgotten():
    with pytest.raises(InputError, match="received no audio and model 'song"):
        kerasep.separate("song.mp3")


def warnings(caplog):
    records = [record for record in caplog.records if record.name.startswith("kerasep")]
    return [record.getMessage() for record in records if record.levelname == "WARNING"]


def test_random_weights_are_warned_of(song, caplog):
    model = tiny()
    kerasep.separate(kerasep.Separator(model), song)
    kerasep.separate(model, song)
    assert len(warnings(caplog)) == 2
    assert warnings(caplog)[0].startswith("unet_like/singing was never trained")
    assert "\n" not in warnings(caplog)[0]
    model.set_weights(model.get_weights())
    kerasep.separate(model, song)
    kerasep.separate(kerasep.Separator(model), song)
    assert len(warnings(caplog)) == 2


def test_weights_of_which_some_are_random_are_warned_of(song, caplog):
    kerasep.separate(zoo.load("unet_like/karaoke", sources=["vocals", "drums"]), song)
    assert "all or some of its weights are random" in "".join(warnings(caplog))


def test_a_separator_with_weights_of_its_own_file(song, tmp_path, caplog):
    kerasep.Separator(tiny()).save(tmp_path / "separator.keras")
    import keras

    kerasep.separate(keras.saving.load_model(tmp_path / "separator.keras"), song)
    assert not warnings(caplog)


def test_what_is_no_model(song):
    with pytest.raises(InputError, match="received a model of type dict, expected a model of the"):
        kerasep.separate({"model": "unet_like/karaoke"}, song)
