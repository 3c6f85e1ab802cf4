"""`kerasep import`, and separating with the model."""

import pathlib

from kerasep.zoo import registry

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix"


def test_import_and_separate(folder, tmp_path, monkeypatch, capsys, call, refused, files):
    cards = registry._cards()
    cards["open_unmix_like"]["arguments"] |= {"n_fft": 64, "hop": 16, "hidden": 12, "max_hz": 2400}
    cards["open_unmix_like"]["arguments"] |= {"sample_rate": 8000}
    monkeypatch.setattr(registry, "_cards", lambda: cards)
    command = ("import", GOLDEN, "--as", "open_unmix_like/umx")
    command += ("--sources", "vocals,drums", "--out")
    model = tmp_path / "umx.keras"
    for path in (tmp_path / "umx.weights.h5", model):
        assert call(*command, path) == 0
        assert "vocals, drums" in capsys.readouterr().out
    assert "umx.keras, which exists" in refused(*command, model)
    assert "expected a name that ends in" in refused(*command, tmp_path / "umx.h5")
    assert "bass, other" in refused(*command[:4], "--out", tmp_path / "four.keras")
    assert files(tmp_path) == ["umx.keras", "umx.weights.h5"]
    assert call("separate", folder / "mixture.wav", "--model", model, "--out", tmp_path / "o") == 0
    assert files(tmp_path / "o") == ["mixture/drums.wav", "mixture/vocals.wav"]
