"""Ensembles: the weighted mean of estimates at the recording's rate, matched by name."""

import numpy as np
import pytest

from kerasep import data
from kerasep.errors import InputError
from kerasep.separation import archives, separate, separate_file
from kerasep.separation.chunks import ChunkSeparator


def shares(first, second, sources=("vocals", "accompaniment"), rate=8000, channels=1):
    """A separator of constant gains."""
    gains = np.array([first, second], "float32")
    residual = "accompaniment" if "accompaniment" in sources else None
    process = lambda x: x[..., None] * gains  # noqa: E731
    return ChunkSeparator(
        process, sources, rate, channels, rate // 2, rate // 20, residual=residual
    )


A = shares(0.2, 0.8)
B = shares(0.6, 0.4, ("accompaniment", "vocals"), rate=16000, channels=2)


def noise(samples, channels=2):
    values = np.random.default_rng(samples).standard_normal((samples, channels))
    return (0.2 * values).astype("float32")


@pytest.mark.parametrize(("weights", "share"), [(None, 0.5), ([2, 1], 2 / 3), ([0, 3], 0.0)])
@pytest.mark.parametrize("band", ["full", "model"])
def test_the_mean_is_that_of_the_members(weights, share, band):
    mixture = noise(30011)
    first, second = (separate(model, mixture, 22050, band=band) for model in (A, B))
    blended = separate([A, B], mixture, 22050, weights=weights, band=band)
    swapped = separate([B, A], mixture, 22050, weights=weights and weights[::-1], band=band)
    assert list(blended) == ["vocals", "accompaniment"]
    assert list(swapped) == ["accompaniment", "vocals"]
    for name, stem in blended.items():
        expected = share * first[name] + (1 - share) * second[name]
        np.testing.assert_allclose(stem, expected, atol=1e-6)
        np.testing.assert_allclose(swapped[name], expected, atol=1e-6)
        assert np.abs(first[name] - second[name]).max() > 0.05
    if band == "full":
        np.testing.assert_allclose(sum(blended.values()), mixture, atol=1e-5)


def test_a_list_of_one_is_its_model():
    mixture = noise(9001)
    for name, stem in separate([A], mixture).items():
        np.testing.assert_array_equal(stem, separate(A, mixture)[name])


def test_a_number_is_the_weight_of_one_model():
    mixture = noise(9001)
    for name, stem in separate(A, mixture, weights=2.0).items():
        np.testing.assert_array_equal(stem, separate(A, mixture)[name])


def test_an_array_has_the_first_model_s_rate():
    mixture = noise(9001)
    for name, stem in separate([A, B], mixture).items():
        np.testing.assert_array_equal(stem, separate((A, B), mixture, 8000)[name])


def test_files_are_blended_block_by_block(tmp_path):
    mixture, shares_done = noise(4 * 22050), []
    data.write(tmp_path / "song.wav", mixture, 22050)
    paths = separate_file(
        [A, B],
        tmp_path / "song.wav",
        tmp_path / "stems",
        weights=[2, 1],
        progress=shares_done.append,
    )
    expected = separate([A, B], mixture, 22050, weights=[2, 1])
    assert list(paths) == ["vocals", "accompaniment"]
    for name, path in paths.items():
        np.testing.assert_allclose(data.read(path)[0], expected[name], atol=1e-5)
    assert len(shares_done) > 4
    assert shares_done[-1] == 1


def both():
    return [A, B]


def test_archives_take_ensembles(tmp_path):
    pytest.importorskip("apache_beam")
    mixture = noise(9001)
    data.write(tmp_path / "song.wav", mixture, 22050)
    options = ["direct_running_mode=in_memory", "direct_num_workers=1"]
    settings = {"weights": [1, 3], "band": "model"}
    with pytest.raises(InputError, match="for 2 models"):
        archives.separate({}, tmp_path / "out", both, weights=[1], options=options)
    with pytest.raises(InputError, match="band='low'"):
        archives.separate({}, tmp_path / "out", both, band="low", options=options)
    failures = archives.separate(
        {"song": tmp_path / "song.wav"}, tmp_path / "out", both, options=options, **settings
    )
    assert failures == []
    expected = separate([A, B], mixture, 22050, **settings)
    stem, _ = data.read(tmp_path / "out" / "song" / "vocals.wav")
    np.testing.assert_allclose(stem, expected["vocals"], atol=1e-5)


def test_silence_is_silent():
    assert not any(stem.any() for stem in separate([A, B], 0 * noise(9001)).values())


@pytest.mark.parametrize(
    ("models", "weights", "message"),
    [
        ([], None, "received no model"),
        ([A, shares(1, 0, ("vocals", "drums"))], None, "accompaniment and of vocals, drums, exp"),
        ([A, B._replace(interchangeable=True)], None, "any order"),
        ([A, B], [1], r"weights \[1\] for 2 models"),
        ([A, B], [1, 1, 1], "for 2 models"),
        ([A, B], [1, -1], "none below 0"),
        ([A, B], [0, 0], "one above"),
        ([A, B], [1, np.nan], "received weights"),
        ([A, B], [1, np.inf], "received weights"),
        ([A, B], ["2", "1"], "received weights"),
        (A, [2, 1], "for 1 model,"),
        ([A, B], 2, r"weights \[2\] for 2 models"),
    ],
)
def test_ensembles_that_are_refused(models, weights, message):
    with pytest.raises(InputError, match=message) as caught:
        separate(models, noise(100), weights=weights)
    assert "\n" not in str(caught.value)
