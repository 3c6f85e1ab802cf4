"""`kerasep prepare`, and training on the shards."""

import pytest

from kerasep import data


@pytest.mark.slow
def test_prepare_and_train_on_the_shards(tmp_path, capsys, call, refused, train_command):
    data.write_songs(tmp_path / "songs", 3, seconds=2.0)
    out = tmp_path / "shards"
    command = ("prepare", tmp_path / "songs", "--out", out)
    assert call(*command, "--model", "open_unmix_like/small") == 0
    said = capsys.readouterr().out
    assert "3 tracks, 0.00 hours" in said
    assert f"{out}/index.json: int16, rounding" in said
    assert call(*train_command(out, tmp_path / "run")) == 0
    assert "val_loss" in capsys.readouterr().out
    message = refused(*command, "--sources", "vocals", "--sample-rate", 8000)
    assert "received no --model and no channels" in message
    other = ("--sources", "vocals", "--sample-rate", 8000, "--channels", 1)
    assert "was prepared with another" in refused(*command, *other)
