"""Speakers and instruments mixed as training goes."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import audio, find_pool, waveforms
from kerasep.data.sampling.open_files import Unreadable
from kerasep.data.sampling.pool_crops import PoolCrops
from kerasep.data.sampling.settings import Sampling
from kerasep.errors import InputError

RATE = 8000
LEVELS = {"ada": 0.1, "bob": 0.2, "cyd": 0.4}  # each speaker is a constant, to be told apart


def model(*sources):
    return SimpleNamespace(sources=sources, sample_rate=RATE, channels=1)


def write_pool(folder, levels, seconds=(0.2, 0.3, 0.5)):
    for name, level in levels.items():
        (folder / name).mkdir(parents=True)
        for number, duration in enumerate(seconds):
            samples = np.full((round(duration * RATE), 1), level * (1 + number / 100), "float32")
            audio.write(folder / name / f"{number}.wav", samples, RATE)
    return find_pool(folder)


@pytest.fixture(scope="module")
def speakers(tmp_path_factory):
    return write_pool(tmp_path_factory.mktemp("speakers"), LEVELS)


def examples(pool, model, **options):
    options = {"batch_size": 8, "crop_seconds": 0.8, "crops_per_track": 16, "gain": None} | options
    batches = [(m.numpy(), s.numpy()) for m, s in waveforms(pool, model, **options)]
    return tuple(np.concatenate(values) for values in zip(*batches, strict=True))


def who(source):
    """Name of the speaker of a waveform, every sample of which must be theirs."""
    names = [
        name
        for name, level in LEVELS.items()
        if (np.abs(source / level - 1.01) < 0.011).all()  # one of three recordings, end to end
    ]
    return names[0] if names else None


def test_different_speakers_end_to_end(speakers):
    mixture, sources = examples(speakers, model("one", "two"))
    np.testing.assert_allclose(mixture, sources.sum(axis=-1), atol=1e-6)
    assert mixture.shape == (48, 6400, 1)
    pairs = [tuple(who(example[..., index]) for index in range(2)) for example in sources]
    assert all(one and two and one != two for one, two in pairs)
    assert len(set(pairs)) == 6
    joins = np.count_nonzero(np.diff(sources[:, :, 0, 0], axis=1), axis=1)
    assert joins.min() >= 1


def test_levels_by_a_range_of_snr(speakers):
    mixture, sources = examples(speakers, model("one", "two"), snr=(0, 5), gain=(0.5, 2))
    power = np.mean(np.square(sources), axis=(1, 2))
    ratios = 10 * np.log10(power[:, 0] / power[:, 1])
    assert ratios.min() > -0.01
    assert ratios.max() < 5.01
    assert np.ptp(ratios) > 3
    np.testing.assert_allclose(mixture, sources.sum(axis=-1), atol=1e-6)
    assert np.ptp(power[:, 0]) > 0.05  # one gain for all still varies


def test_recordings_of_any_level_are_joined_at_the_same(speakers):
    _, sources = examples(speakers, model("one", "two"), level=-20.0)
    np.testing.assert_allclose(sources, 0.1, rtol=1e-3)  # constants: their RMS is their value


@pytest.mark.parametrize("semitones", [0, 3])
def test_dozens_of_words_are_the_same_by_one_thread_or_many(tmp_path, semitones):
    pool = write_pool(tmp_path, LEVELS, seconds=(0.03, 0.05, 0.07))
    options = {"level": -20.0, "snr": (0, 5), "semitones": semitones, "crops_per_track": 4}
    once, again = (examples(pool, model("one", "two"), threads=n, **options)[1] for n in (1, 8))
    np.testing.assert_array_equal(once, again)
    assert (once.reshape(-1, RATE // 10, 2).max(axis=1) > 0.01).all()  # no gaps


def test_a_level_leaves_silence_as_it_is(tmp_path):
    pool = write_pool(tmp_path, {"ada": 0.0, "bob": 0.2}, seconds=(0.5,))
    _, sources = examples(pool, model("one", "two"), level=-20.0)
    heard = np.sort(sources.max(axis=1).reshape(len(sources), -1), axis=1)
    np.testing.assert_allclose(heard, np.broadcast_to([0, 0.1], heard.shape), rtol=1e-3)


def test_variable_numbers_of_speakers(speakers):
    _, sources = examples(speakers, model("one", "two", "three"), min_sources=1)
    heard = sources.any(axis=(1, 2))
    assert set(heard.sum(axis=1)) == {1, 2, 3}
    assert (np.diff(heard.astype(int), axis=1) <= 0).all()  # the last ones are silent


def test_validation_is_the_same_list_every_time(speakers):
    options = {"training": False, "snr": (0, 5)}
    dataset = waveforms(speakers, model("one", "two"), batch_size=2, crop_seconds=0.5, **options)
    first, second = ([m.numpy() for m, _ in dataset] for _ in range(2))
    assert [len(mixture) for mixture in first] == [2, 2, 2]  # 3 s of recordings
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_instruments_by_name_and_those_that_play_along(tmp_path):
    pool = write_pool(tmp_path, LEVELS, seconds=(2.0,))
    mixture, sources = examples(pool, model("cyd", "ada"))
    np.testing.assert_allclose(sources[:, :, 0], np.broadcast_to([0.4, 0.1], (48, 6400, 2)))
    np.testing.assert_allclose(mixture, 0.7, atol=1e-6)
    _, sources = examples(pool, model("cyd", "ada"), min_sources=0)
    assert len(np.unique(sources.any(axis=(1, 2)), axis=0)) == 4  # any of the two, or none


def test_refuses_too_few_speakers(speakers):
    with pytest.raises(InputError, match="too few for mixtures of 4"):
        waveforms(speakers, model("a", "b", "c", "d"), batch_size=1)


def test_the_last_recording_may_go_while_an_example_is_drawn(speakers):
    """Another thread finds out after the speakers were drawn; the reader then draws again."""
    seen = []

    def usable(stems):
        seen.append(stems)
        return len(seen) <= len(LEVELS)  # one look at each speaker

    files = SimpleNamespace(usable=usable)
    plan = PoolCrops(speakers, ("a", "b"), 0.8, Sampling())
    with pytest.raises(Unreadable, match="skipped the last recording"):
        plan.example(0, 0, files)
