"""Models reject mixtures that Keras would broadcast or cast, in every call, and stay usable."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy

import kerasep
from kerasep import ops
from kerasep.errors import InputError
from kerasep.models import SeparationModel

WAVEFORM, MAGNITUDE = (2, 400, 2), (2, 5, 33, 2)


class Halves(SeparationModel):
    """Smallest waveform model."""

    domain = "waveform"

    def __init__(self, sources=("left", "right"), sample_rate=8000, channels=2, name="halves"):
        waveform = keras.Input((None, channels), name="mixture")
        shares = keras.layers.Dense(2 * channels)(waveform)
        super().__init__(waveform, keras.layers.Reshape((-1, channels, 2))(shares), name=name)


class Shares(SeparationModel):
    """Return the smallest spectrogram model."""

    def __init__(self, sources=("left", "right"), sample_rate=8000, channels=2, name="shares"):
        magnitude = keras.Input((None, 33, channels), name="magnitude")
        masks = keras.layers.Dense(2, "sigmoid")(magnitude[..., None])
        super().__init__(magnitude, masks * magnitude[..., None], name=name)
        self.stft = {"n_fft": 64, "hop": 16, "window": "hann"}


def spectrogram_model(channels=2):
    return Shares(channels=channels)


@pytest.fixture(scope="module", params=["spectrogram", "waveform"])
def model(request):
    made = {
        "spectrogram": spectrogram_model,
        "waveform": Halves,
    }[request.param]()
    made.compile("sgd", "mse")
    return made


def right(model):
    shape = MAGNITUDE if getattr(model, "domain", "waveform") == "spectrogram" else WAVEFORM
    return np.random.default_rng(0).random(shape, "float32")


def wrong(model):
    """Yield the name and mixture of every input that is invalid for the model."""
    mixture = right(model)
    yield "other domain", np.ones(WAVEFORM if mixture.ndim == 4 else MAGNITUDE, "float32")
    yield "no batch", mixture[0]
    yield "no channels", mixture[..., 0]
    yield "one channel", mixture[..., :1]
    yield "more channels", mixture[..., [0, 0, 1]]
    yield "spectrum", np.stack([mixture, mixture], axis=-1)
    if mixture.ndim == 4:
        yield "fewer bins", mixture[:, :, 1:]
    for kind in ("complex64", "int16", "bool"):
        yield kind, mixture.astype(kind)


def calls(model):
    target = np.zeros((*right(model).shape, len(model.sources)), "float32")
    yield "call", model
    yield "training", lambda x: model(x, training=True)
    yield "predict", lambda x: model.predict(x, verbose=0)
    yield "predict_on_batch", model.predict_on_batch
    yield "fit", lambda x: model.fit(x, target[: len(x)], verbose=0)
    yield "evaluate", lambda x: model.evaluate(x, target[: len(x)], verbose=0)
    yield "train_on_batch", lambda x: model.train_on_batch(x, target)
    yield "test_on_batch", lambda x: model.test_on_batch(x, target)
    yield "dataset", lambda x: model.fit(batches(x, target), shuffle=False, verbose=0)
    yield "predict dataset", lambda x: model.predict(batches(x), verbose=0)


def batches(*tensors):
    length = min(map(len, tensors))
    return tf.data.Dataset.from_tensors(
        tuple(tensor[:length] for tensor in tensors) if len(tensors) > 1 else tensors[0]
    )


def test_refuses_in_one_line_and_works_on(model):
    expected = convert_to_numpy(model(right(model)))
    for how, call in calls(model):
        if how in ("fit", "train_on_batch", "dataset"):
            call(right(model))  # metrics are built, as after a first epoch
            expected = convert_to_numpy(model(right(model)))
        for name, mixture in wrong(model):
            with pytest.raises(InputError, match=r"^received a mixture of .*expected") as caught:
                call(mixture)
            message = str(caught.value)
            assert "\n" not in message, (how, name)
            rows = ", ".join(map(str, mixture.shape[1:]))
            named = rows if mixture.dtype == "float32" else str(mixture.dtype)
            assert named in message, (how, name)
    np.testing.assert_array_equal(convert_to_numpy(model(right(model))), expected)


def test_a_separator_takes_waveforms_alone():
    separator = kerasep.Separator(spectrogram_model())
    assert separator(right(separator)).shape == (2, 400, 2, 2)
    for _, mixture in wrong(separator):
        for call in (separator, separator.predict):
            with pytest.raises(InputError, match=r"expected waveforms \(batch, samples, 2\)"):
                call(mixture)


def test_messages_say_what_to_do():
    model = spectrogram_model()
    with pytest.raises(InputError) as caught:
        model(np.zeros((1, 400, 2), "float32"))
    assert str(caught.value) == (
        "received a mixture of shape (1, 400, 2), expected magnitudes (batch, frames, 33, 2): "
        "kerasep.separate or kerasep.Separator takes waveforms, kerasep.ops.magnitude spectra"
    )
    with pytest.raises(
        InputError, match=r"int16, expected waveforms .*divide samples by their full"
    ):
        Halves()(np.zeros((1, 400, 2), "int16"))


def test_mono_models_take_no_batch_of_rows():
    """Keras would add the missing axis."""
    with pytest.raises(InputError, match=r"\(3, 400\), expected waveforms \(batch, samples, 1\)"):
        Halves(channels=1)(np.zeros((3, 400), "float32"))
    with pytest.raises(InputError, match=r"\(3, 400, 33\), expected magnitudes"):
        spectrogram_model(channels=1)(np.zeros((3, 400, 33), "float32"))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_takes_any_float(kind):
    for model in (spectrogram_model(), Halves()):
        received = convert_to_numpy(model(right(model).astype(kind)))
        np.testing.assert_allclose(received, convert_to_numpy(model(right(model))), atol=1e-2)


def test_in_a_graph_of_its_own():
    model = spectrogram_model()
    waveform = keras.Input((None, 2))
    spectrum = kerasep.layers.STFT(64, 16)(waveform)
    with pytest.raises(InputError, match="expected magnitudes"):
        model(spectrum)
    outer = keras.Model(waveform, model(kerasep.layers.Magnitude()(spectrum)))
    x = right(Halves())
    expected = model(ops.magnitude(ops.stft(x, 64, 16)))
    np.testing.assert_allclose(
        convert_to_numpy(outer(x)), convert_to_numpy(expected), rtol=1e-5, atol=1e-6
    )
