"""Recipes: invalid settings."""

import pytest
from tiny_runs import refused, tiny

from kerasep import training
from kerasep.errors import InputError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs=0, expected a number from 1 on"),
        ({"epochs": "3"}, "epochs=.3., expected a number from 1 on"),
        ({"epoch": 3}, "recipe setting 'epoch', expected one of .* did you mean epochs?"),
        ({"data": {"batchsize": 3}}, "data settings .*batchsize.*, expected batch_size"),
        ({"loss": {"class_name": "L7", "config": {}}}, "recipe with loss .*L7"),
        ({"loss_weights": {"vocals": 1.0}}, "loss_weights .*, expected none for a"),
        ({"dtype": "bfloat"}, "dtype 'bfloat', expected one of .*: did you mean bfloat16?"),
        ({"steps_per_execution": 0}, "steps_per_execution=0 and jit_compile='auto', expected"),
        ({"jit_compile": "yes"}, "steps_per_execution=1 and jit_compile='yes', expected"),
        ({"metrics": ["sisdr"]}, "metric 'sisdr', expected one of .*: did you mean si_sdr?"),
        ({"metrics": ["si_snr"]}, "since SI-SNR subtracts their mean: use SISDR for spectra"),
        ({"metrics": ["si_sdr"] * 2}, "metrics si_sdr, si_sdr, expected each name once"),
        ({"monitor": "val_los"}, "monitor 'val_los', expected one of val_loss, loss: did you mean"),
        (
            {"metrics": ["si_sdr"], "monitor": "val_sisdr"},
            "expected one of val_loss, val_si_sdr, loss, si_sdr: did you mean val_si_sdr?",
        ),
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
