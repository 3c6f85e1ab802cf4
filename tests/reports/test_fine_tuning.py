"""Fine-tuning keeps the weights that score best, and counts the first ones among them."""

import keras
import numpy as np
import pytest

from kerasep import data, evaluation, zoo
from kerasep.reports import fine_tuning


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs") / "songs"
    data.write_songs(folder, 2, seed=3, seconds=1.0)
    return data.find_tracks(folder)


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(fine_tuning, "BATCH", {"batch_size": 2, "crop_seconds": 0.5})
    monkeypatch.setattr(fine_tuning, "ROUNDS", 3)
    keras.utils.set_random_seed(0)
    return zoo.load("open_unmix_like/small", hidden=8, n_fft=256, hop=128)


def improvement(rows, model):
    means = {
        source: np.mean([row["si_sdr_improvement"] for row in rows if row["source"] == source])
        for source in model.sources
    }
    return means


@pytest.mark.slow
def test_the_best_round_is_kept(model, tracks):
    first = improvement(evaluation.evaluate(model, tracks, oracles=False), model)
    rows = []
    history = fine_tuning.fine_tune(model, tracks, tracks, 0.0, rows.append)
    assert rows == history
    assert [row["steps"] for row in history] == list(range(4))
    assert {source: history[0][source] for source in model.sources} == pytest.approx(
        first, abs=0.02
    )
    means = [np.mean([row[source] for source in model.sources]) for row in history]
    last = improvement(evaluation.evaluate(model, tracks, oracles=False), model)
    assert np.mean(list(last.values())) == pytest.approx(max(means), abs=0.02)


@pytest.mark.slow
def test_training_that_only_harms_changes_nothing(model, tracks, monkeypatch):
    scores = iter(range(0, -20, -1))
    monkeypatch.setattr(
        fine_tuning, "improvements", lambda *_: dict.fromkeys(model.sources, float(next(scores)))
    )
    before = model.get_weights()
    fine_tuning.fine_tune(model, tracks, tracks, 0.0, print)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
