"""Recipes: invalid settings."""

import pytest
from tiny_runs import refused, tiny

from kerasep import training
from kerasep.errors import InputError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs=0, expected 1 or more"),
        ({"epoch": 3}, "recipe setting epoch, expected one of"),
        ({"data": {"batchsize": 3}}, "data settings .*batchsize.*, expected batch_size"),
        ({"loss": {"class_name": "L7", "config": {}}}, "recipe with loss .*L7"),
        ({"loss_weights": {"vocals": 1.0}}, "loss_weights .*, expected none for a"),
        ({"optimizer": "adamm"}, "recipe with loss .*adamm"),
        ({"early_stopping": {"patiense": 3}}, "schedule.*patiense"),
    ],
)
def test_invalid_settings(songs, tmp_path, changes, message):
    refused(message, songs, tmp_path / "run", changes)
    assert not (tmp_path / "run").exists()


def test_a_model_without_a_recipe(songs, tmp_path):
    with pytest.raises(InputError, match="without epochs"):
        training.train(tiny(), songs, tmp_path / "run")
