"""All Keras metrics against their formulas in float64."""

import inspect
import itertools
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, metrics, ops, targets
from kerasep.errors import InputError

CLASSES = [metrics.SDSDR, metrics.SISDR, metrics.SISNR, metrics.SNR, metrics.USDR]
EVERY = pytest.mark.parametrize("metric_class", CLASSES, ids=lambda cls: cls.__name__)


def decibels(signal, noise):
    return 10 * np.log10(np.sum(signal**2) / np.sum(noise**2))


def ratio(metric_class, s, e):
    """Compute the ratio of one channel, or for uSDR of all channels `(samples, channels)`."""
    s, e = s.astype("float64"), e.astype("float64")
    if metric_class is metrics.SISNR:
        s, e = s - s.mean(), e - e.mean()
    target = s * np.sum(s * e) / np.sum(s * s)
    return {
        "SDSDR": lambda: decibels(target, s - e),
        "SISDR": lambda: decibels(target, target - e),
        "SISNR": lambda: decibels(target, target - e),
        "SNR": lambda: decibels(s, s - e),
        "USDR": lambda: decibels(s, s - e),
    }[metric_class.__name__]()


def expected(metric_class, s, e, improvement=False, permutation=False):
    """Mean over examples, channels and sources, by loops; `(batch, samples, channels, sources)`."""
    means = []
    for reference, estimate in zip(s, e, strict=True):
        sources = reference.shape[-1]

        def score(j, estimate, reference=reference):
            if metric_class is metrics.USDR:
                return ratio(metric_class, reference[..., j], estimate)
            channels = range(reference.shape[1])
            return np.mean(
                [ratio(metric_class, reference[:, c, j], estimate[:, c]) for c in channels]
            )

        orders = itertools.permutations(range(sources)) if permutation else [range(sources)]
        best = max(
            np.mean([score(j, estimate[..., k]) for j, k in enumerate(order)]) for order in orders
        )
        if improvement:
            best -= np.mean([score(j, reference.sum(axis=-1)) for j in range(sources)])
        means.append(best)
    return np.mean(means)


def waveforms(rng, batch=3, sources=3):
    s = rng.standard_normal((batch, 400, 2, sources)) * 10.0 ** -np.arange(sources) + 0.1
    e = 0.8 * s + 0.2 * rng.standard_normal(s.shape) * s.std(axis=1, keepdims=True)
    return s.astype("float32"), e.astype("float32")


def value(metric, *arguments, **keywords):
    metric.update_state(*arguments, **keywords)
    return float(convert_to_numpy(metric.result()))


@EVERY
@pytest.mark.parametrize("improvement", [False, True])
@pytest.mark.parametrize("permutation", [False, True])
def test_formula(metric_class, improvement, permutation, rng):
    s, e = waveforms(rng)
    e = np.stack([e[0], e[1][..., [1, 2, 0]], e[2][..., [0, 2, 1]]])
    received = value(metric_class(improvement, permutation), s, e)
    wanted = expected(metric_class, s, e, improvement, permutation)
    assert received == pytest.approx(wanted, abs=1e-3)


@EVERY
def test_batches_and_weights_mean_examples(metric_class, rng):
    s, e = waveforms(rng)
    metric = metric_class()
    metric.update_state(s[:1], e[:1])
    assert value(metric, s[1:], e[1:]) == pytest.approx(expected(metric_class, s, e), abs=1e-3)
    weighted = value(metric_class(), s, e, sample_weight=np.array([0.0, 1.0, 3.0]))
    each = [expected(metric_class, s[i : i + 1], e[i : i + 1]) for i in range(3)]
    assert weighted == pytest.approx((each[1] + 3 * each[2]) / 4, abs=1e-3)


@EVERY
@pytest.mark.parametrize("permutation", [False, True])
def test_silent_sources_are_left_out(metric_class, permutation, rng):
    s, e = waveforms(rng)
    wanted = expected(metric_class, s[..., :2], e[..., :2])
    s[..., 2] = 0
    assert value(metric_class(permutation=permutation), s, e) == pytest.approx(wanted, abs=1e-3)
    assert value(metric_class(permutation=permutation), 0 * s, e) == 0


@EVERY
def test_the_mixture_improves_nothing(metric_class, rng):
    s, _ = waveforms(rng)
    mixture = np.broadcast_to(s.sum(axis=-1, keepdims=True), s.shape)
    assert value(metric_class(improvement=True), s, mixture) == pytest.approx(0, abs=1e-4)


@EVERY
def test_improvement_needs_a_mixture(metric_class, rng):
    s, e = waveforms(rng, sources=1)
    with pytest.raises(
        InputError, match=r"expected two sources or more.*improvement=False"
    ) as caught:
        metric_class(improvement=True).update_state(s, e)
    assert "\n" not in str(caught.value)
    assert value(metric_class(), s, e) == pytest.approx(expected(metric_class, s, e), abs=1e-3)


@EVERY
@pytest.mark.parametrize("level", [1e-4, 1.0, 1e3])
@pytest.mark.parametrize("permutation", [False, True])
def test_a_source_alone_cannot_be_improved(metric_class, level, permutation, rng):
    """If all others are silent, the mixture is perfect and every estimate far worse."""
    s, e = (level * x for x in waveforms(rng))
    s[1, ..., 1:] = 0
    kept = [0, 2]
    metric = metric_class(improvement=True, permutation=permutation)
    alone = value(metric_class(improvement=True, permutation=permutation), s[kept], e[kept])
    assert value(metric, s, e) == pytest.approx(alone, abs=1e-3)
    assert value(metric_class(improvement=True), s[1:2], e[1:2]) == 0


@pytest.mark.parametrize("metric_class", [metrics.SDSDR, metrics.SISDR, metrics.SNR, metrics.USDR])
def test_improvement_of_one_source_by_a_packed_reference(metric_class, rng):
    spectra = rng.standard_normal((2, 9, 17, 1, 2, 2)).astype("float32")
    magnitudes = convert_to_numpy(targets.phase_sensitive_target(spectra))
    assert 0 < value(metric_class(improvement=True), spectra, np.maximum(magnitudes, 0)) < 30
    spectra[..., 0, :] = spectra[..., 1, :]
    assert value(metric_class(improvement=True), spectra, magnitudes) == 0


@pytest.mark.parametrize("metric_class", [metrics.SDSDR, metrics.SISDR, metrics.SNR, metrics.USDR])
@pytest.mark.parametrize("improvement", [False, True])
def test_spectra_score_like_their_waveforms(metric_class, improvement, rng):
    s = rng.standard_normal((2, 8192, 2, 3)) * [1.0, 0.5, 0.25]
    s[:, :, :, 1] = np.cumsum(s[:, :, :, 1], axis=1) / 10
    mixture, spectra = (ops.stft(x.reshape(2, 8192, -1), 512, 128) for x in (s.sum(-1), s))
    spectra = np.reshape(convert_to_numpy(spectra), (2, 65, 257, 2, 3, 2))
    reference = convert_to_numpy(targets.pack_reference(mixture, spectra))
    magnitudes = convert_to_numpy(targets.ideal_ratio_mask(reference))
    magnitudes = magnitudes * convert_to_numpy(ops.magnitude(mixture))[..., None]
    received = value(metric_class(improvement), reference, magnitudes)

    masked = convert_to_numpy(ops.mixture_phase(mixture, magnitudes))
    masked = np.moveaxis(masked, -2, -1).reshape(2, 65, 257, 2, 2, 3)
    e = np.stack([ops.istft(masked[..., j], 512, 128) for j in range(3)], axis=-1)
    wanted = expected(metric_class, s, e, improvement)
    assert wanted - 1.5 < received < wanted + 0.1


@EVERY
def test_config_is_the_signature(metric_class):
    other = {"improvement": True, "permutation": True, "name": "other", "dtype": "bfloat16"}
    assert metric_class().get_config().keys() == inspect.signature(metric_class).parameters.keys()
    assert metric_class(**other).get_config() == other
    assert metric_class(improvement=True).name == metric_class().name + "_improvement"


@EVERY
def test_round_trip(metric_class, rng):
    metric = metric_class(improvement=True, permutation=True)
    again = keras.metrics.deserialize(json.loads(json.dumps(keras.metrics.serialize(metric))))
    assert type(again) is metric_class
    s, e = waveforms(rng)
    assert value(again, s, e) == value(metric, s, e)


@EVERY
def test_loss_of_the_same_name_is_another_thing(metric_class):
    if hasattr(losses, metric_class.__name__):
        loss = getattr(losses, metric_class.__name__)()
        assert type(keras.losses.deserialize(keras.losses.serialize(loss))) is type(loss)


@EVERY
def test_in_a_compiled_model(metric_class, rng, tmp_path):
    """Metrics work in a graph of unknown length and in a saved model."""
    s, e = waveforms(rng)
    inputs = keras.Input((None, 2, 3))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    model.compile("sgd", "mse", metrics=[metric_class(improvement=True, permutation=True)])
    wanted = expected(metric_class, s, e, True, True)
    name = metric_class(improvement=True).name
    for _ in range(2):
        received = model.evaluate(e, s, batch_size=2, verbose=0, return_dict=True)
        assert received[name] == pytest.approx(wanted, abs=1e-2)
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")


def test_more_is_better_for_callbacks(rng):
    s, e = waveforms(rng)
    inputs = keras.Input((None, 2, 3))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model.compile("sgd", "mse", metrics=[metrics.SISDR()])
    stopping = keras.callbacks.EarlyStopping("val_si_sdr", mode="auto")
    model.fit(e, s, validation_data=(e, s), callbacks=[stopping], verbose=0)
    assert stopping._is_improvement(2.0, 1.0)


@EVERY
def test_float32_under_mixed_precision(metric_class, rng, policy):
    s, e = waveforms(rng)
    policy("mixed_float16")
    assert value(metric_class(), s, e) == pytest.approx(expected(metric_class, s, e), abs=1e-3)


@EVERY
def test_wrong_shapes(metric_class, rng):
    s, e = waveforms(rng)
    reference = np.ones((2, 4, 5, 1, 3, 2), "float32")
    for wrong in (
        (s, e[..., :2]),
        (s, e[:, :1]),
        (s[..., 0], e[..., 0]),
        (reference, reference[..., 0]),
        (reference, s),
    ):
        with pytest.raises(InputError, match=r"received y_true.*expected"):
            metric_class().update_state(*wrong)


def test_si_snr_is_of_waveforms():
    reference = np.ones((2, 4, 5, 1, 3, 2), "float32")
    with pytest.raises(InputError, match="use SISDR for spectra"):
        metrics.SISNR().update_state(reference, reference[..., 1:, 0])
