"""Tests of all public losses, which are collected from the package."""

import functools
import inspect
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, targets
from kerasep.errors import InputError

# Arguments that a loss requires, or that make it fast on the short signals below.
ARGUMENTS = {
    "BandLimited": {
        "loss": losses.MagnitudeSpectrum(),
        "limits": [4000, None],
        "sample_rate": 16000,
        "above": 0.1,
    },
    "Combinations": {"loss": losses.SISDR()},
    "Dissimilarity": {"loss": losses.SISDR()},
    "CompressedSpectrum": {"n_fft": 64, "hop": 16},
    "MixtureInvariant": {"loss": losses.ThresholdedSNR()},
    "MultiResolutionSTFT": {"resolutions": [[64, 16, 48]]},
    "MultiResolutionSpectrum": {"resolutions": [[64, 16, 48]]},
    "PermutationInvariant": {"loss": losses.SISDR()},
    "SinkPIT": {"loss": losses.SISDR()},
    "SourceWeighted": {"loss": losses.SISDR(), "weights": [1.0, 2.0]},
    "SpectrumRMSE": {"n_fft": 64, "hop": 16},
    "WaveformApproximation": {"loss": losses.SNR()},
    "WeightedSum": {"losses": [losses.SISDR(), losses.Waveform()]},
}
EMBEDDING = {
    "DeepAttractor",
    "DeepClustering",
    "GraphLaplacian",
    "LinearDiscriminant",
    "WhitenedKMeans",
}
OF_MAGNITUDES = losses.BandLimited, losses.WaveformApproximation
# A value other than the default for every argument, and exceptions for single losses.
OTHER = {
    "p": 2,
    "limit": 1.5,
    "weight": 0.2,
    "weights": "none",
    "limits": [2000.0, 1000.0],
    "sample_rate": 8000,
    "above": 0.5,
    "activation": "sigmoid",
    "resolutions": [[64, 16, 64]],
    "power": 0.5,
    "complex_weight": 2.0,
    "magnitude_weight": 3.0,
    "n_fft": 128,
    "hop": 32,
    "sharpness": 5.0,
    "iterations": 20,
    "overlap": 2,
    "window": "hamming",
    "loss": keras.losses.serialize(losses.SNR()),
    "losses": [keras.losses.serialize(losses.SNR())] * 2,
    "name": "other",
    "reduction": "sum",
    "dtype": "bfloat16",
}
OTHER_LOSS = {"BandLimited": keras.losses.serialize(losses.MagnitudeSpectrum())}
OTHER_WEIGHTS = {"SourceWeighted": [0.5, 3.0], "WeightedSum": [0.5, 3.0]}


@functools.cache
def make(loss_class, sources=2, **arguments):
    arguments = {**ARGUMENTS.get(loss_class.__name__, {}), **arguments}
    if loss_class is losses.SourceWeighted:
        arguments["weights"] = arguments["weights"][:sources]
    if loss_class is losses.BandLimited:
        arguments["limits"] = arguments["limits"][:sources]
    return loss_class(**arguments)


def others(loss_class):
    own = {"weights": OTHER_WEIGHTS, "loss": OTHER_LOSS}
    given = {name: of.get(loss_class.__name__, OTHER[name]) for name, of in own.items()}
    return {name: {**OTHER, **given}[name] for name in defaults(loss_class)}


def defaults(loss_class):
    """Return the defaults of all arguments by name."""
    own = dict(inspect.signature(loss_class).parameters)
    assert own.pop("kwargs").kind is inspect.Parameter.VAR_KEYWORD
    kept = {"reduction": "sum_over_batch_size", "dtype": "float32"}
    return {name: argument.default for name, argument in own.items()} | kept


def judges_embeddings(loss_class):
    return loss_class.__name__ in EMBEDDING


def takes_reference(loss_class):
    named = loss_class in OF_MAGNITUDES or hasattr(loss_class, "target")
    return named or judges_embeddings(loss_class)


def tensors(loss_class, rng, batch=3, frames=6, sources=2):
    """Return a y_true and a y_pred of the kind that a loss takes."""
    if takes_reference(loss_class):
        reference = rng.standard_normal((batch, frames, 5, 2, 1 + sources, 2))
        estimate = rng.random((batch, frames, 5, 2, sources))
    else:
        reference = rng.standard_normal((batch, 50 * frames, 2, sources))
        estimate = 0.5 * reference + 0.3 * rng.standard_normal(reference.shape)
    if loss_class is losses.WaveformApproximation:
        # Sources in phase with the mixture, so that there are perfect magnitudes.
        reference[..., 1:, :] = rng.random((*estimate.shape, 1)) * reference[..., :1, :]
    if judges_embeddings(loss_class):
        # Sources that share no bin, so that there are perfect masks.
        heard = rng.integers(0, sources, reference.shape[:4])
        reference[..., 1:, :] *= np.eye(sources)[heard][..., None]
        reference[..., 0, :] = reference[..., 1:, :].sum(axis=-2)
        estimate = rng.random((batch, frames, 5, 2, 4)) + 0.1
        estimate /= np.linalg.norm(estimate, axis=-1, keepdims=True)
    return reference.astype("float32"), estimate.astype("float32")


def perfect(loss_class, reference):
    if judges_embeddings(loss_class):  # each source in a direction of its own
        dominant = convert_to_numpy(targets.dominant_source(reference))
        far = 20 if loss_class is losses.DeepAttractor else 1
        return far * np.pad(dominant, [(0, 0)] * 4 + [(0, 1)])
    if loss_class in OF_MAGNITUDES:
        return convert_to_numpy(targets.magnitude_target(reference))
    if hasattr(loss_class, "target"):
        return convert_to_numpy(loss_class().target(reference))
    return reference


def in_one_batch(pairs):
    """Concatenate the references and the estimates of many cases."""
    references, estimates = zip(*pairs, strict=True)
    return np.concatenate(references), np.concatenate(estimates)


def check_finite(gradients, loss, reference, estimate, names=None):
    """Check that values and gradients of all examples are finite; `names` are those of cases."""
    value, found = gradients(loss, reference, estimate)
    bad = [~np.isfinite(slopes.reshape(len(reference), -1)).all(axis=1) for slopes in found]
    bad = np.flatnonzero(np.any(bad, axis=0)) * len(names or [0]) // len(reference)
    assert not len(bad), sorted({names[case] if names else "" for case in bad})
    assert np.isfinite(value)


def test_exported(loss_class):
    assert getattr(losses, loss_class.__name__) is loss_class
    assert loss_class.__name__ in losses.__all__


def test_config_is_the_signature(loss_class):
    arguments = defaults(loss_class)
    config = make(loss_class).get_config()
    assert config.keys() == arguments.keys()
    assert (config["reduction"], config["dtype"]) == ("sum_over_batch_size", "float32")
    chosen = others(loss_class)
    assert loss_class(**chosen).get_config() == chosen
    assert all(chosen[name] != default for name, default in arguments.items())


def test_round_trip(loss_class, rng, compiled):
    chosen = others(loss_class)
    del chosen["dtype"]
    loss = loss_class(**chosen)
    written = json.loads(json.dumps(keras.losses.serialize(loss)))
    again = keras.losses.deserialize(written)
    assert type(again) is loss_class
    assert again.get_config() == loss.get_config()
    if {"loss", "losses"} & chosen.keys():  # of the others the config says it all
        pair = tensors(loss_class, rng)
        expected = convert_to_numpy(compiled(loss)(*pair))
        assert convert_to_numpy(compiled(again)(*pair)) == expected


def test_a_recipe_names_it_by_class(loss_class):
    by_class = {"class_name": "SNR", "config": {}}
    given = {"loss": by_class, "losses": [by_class] * 2, "weights": [1.0, 2.0]}
    given |= {"limits": [4000, None], "sample_rate": 16000}
    required = {
        name: given[name]
        for name, default in defaults(loss_class).items()
        if default is inspect.Parameter.empty
    }
    written = {"class_name": loss_class.__name__, "config": required}
    found = keras.losses.deserialize(written, custom_objects=vars(losses))
    assert type(found) is loss_class


def test_one_value_an_example_and_weights_of_examples(loss_class, rng, compiled):
    # As many frames as examples, so that weights of frames would cause no error but wrong values.
    pair = tensors(loss_class, rng, batch=6, frames=6)
    unreduced = compiled(make(loss_class, reduction=None))
    each = convert_to_numpy(unreduced(*pair))
    assert each.shape == (6,)
    alone = [unreduced(*(tensor[i : i + 1] for tensor in pair)) for i in range(3)]
    np.testing.assert_allclose(each[:3, None], [*map(convert_to_numpy, alone)], rtol=1e-4)
    mean = compiled(make(loss_class))
    for weights in (np.ones(6, "float32"), np.arange(6, dtype="float32")):
        received = convert_to_numpy(mean(*pair, sample_weight=weights))
        np.testing.assert_allclose(received, (each * weights).mean(), rtol=1e-4)


LEVELS = (1e-8, 1.0, 1e4)


def test_finite_at_every_level_and_at_silence(loss_class, rng, gradients):
    reference, estimate = tensors(loss_class, rng)
    cases = {}
    for level in LEVELS:
        cases[f"at {level}"] = level * reference, level * estimate
        cases[f"silent reference, estimate at {level}"] = 0 * reference, level * estimate
        cases[f"reference at {level}, silent estimate"] = level * reference, 0 * estimate
        same = level * reference
        cases[f"perfect at {level}"] = same, perfect(loss_class, same)
    cases["both silent"] = 0 * reference, 0 * estimate
    muted = reference.copy()
    if takes_reference(loss_class):
        muted[..., 1, :] = 0
        silent = reference.copy()
        silent[..., 0, :] = 0
        cases["mixture silent"] = silent, estimate
    else:
        muted[..., 0] = 0
    cases["one source silent"] = muted, estimate
    pairs = in_one_batch(cases.values())
    check_finite(gradients, make(loss_class, reduction="sum"), *pairs, names=[*cases])


def test_least_at_perfection(loss_class, rng, compiled):
    reference, estimate = tensors(loss_class, rng)
    pairs = []
    for level in LEVELS[1:]:
        same = level * reference
        pairs += [(same, perfect(loss_class, same)), (same, level * estimate)]
    values = compiled(make(loss_class, reduction=None))(*in_one_batch(pairs))
    best, worse, loud_best, loud_worse = convert_to_numpy(values).reshape(4, -1).mean(axis=1)
    assert best < worse
    assert loud_best < loud_worse


@pytest.mark.parametrize("size", [{"batch": 1}, {"sources": 1}, {"frames": 1}])
def test_smallest_sizes(loss_class, rng, gradients, size):
    if loss_class is losses.WaveformApproximation and "frames" in size:
        size = {"frames": 2}
    loss = make(loss_class, size.get("sources", 2))
    check_finite(gradients, loss, *tensors(loss_class, rng, **size))


def test_order_of_channels_does_not_matter(loss_class, rng, compiled):
    reference, estimate = tensors(loss_class, rng)
    axis = 3 if takes_reference(loss_class) else 2
    flipped = (np.flip(tensor, axis).copy() for tensor in (reference, estimate))
    np.testing.assert_allclose(
        convert_to_numpy(compiled(make(loss_class))(*flipped)),
        convert_to_numpy(compiled(make(loss_class))(reference, estimate)),
        rtol=1e-5,
    )


@pytest.mark.parametrize("kind", ["float16", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_float32_under_mixed_precision(loss_class, rng, policy, gradients, compiled, kind):
    reference, estimate = tensors(loss_class, rng)
    expected = convert_to_numpy(compiled(make(loss_class))(reference, estimate))
    policy(f"mixed_{kind}")
    received = compiled(make(loss_class, name=kind))(reference, estimate)
    assert keras.backend.standardize_dtype(received.dtype) == "float32"
    np.testing.assert_allclose(convert_to_numpy(received), expected, rtol=1e-6)
    coarse = compiled(make(loss_class, name=kind))(reference, keras.ops.cast(estimate, kind))
    assert keras.backend.standardize_dtype(coarse.dtype) == "float32"
    check_finite(gradients, make(loss_class), reference, estimate)


def test_wrong_shapes(loss_class, rng):
    reference, estimate = tensors(loss_class, rng)
    loss = make(loss_class)
    of_sources = () if judges_embeddings(loss_class) else ((reference, estimate[..., :1]),)
    for wrong in (
        *of_sources,
        (reference, estimate[:, :1]),  # would be broadcast
        (reference, estimate[:1]),
        (reference, estimate[..., 0]),
        (reference[..., 0], estimate),
        (estimate[..., None, None], estimate),
    ):
        with pytest.raises(InputError, match=r"received.*expected") as caught:
            loss(*wrong)
        assert "\n" not in str(caught.value)


def test_trains_in_a_compiled_model(loss_class, rng, compiled):
    """Shapes may be unknown while the graph is traced."""
    reference, estimate = tensors(loss_class, rng)
    inputs = keras.Input((None, *estimate.shape[2:]))
    model = keras.Model(inputs, keras.layers.Dense(estimate.shape[-1])(inputs))
    model.compile("sgd", make(loss_class))
    expected = convert_to_numpy(compiled(make(loss_class))(reference, model(estimate)))
    received = model.train_on_batch(estimate, reference)
    np.testing.assert_allclose(received, expected, rtol=1e-4)
