"""`kerasep import`, and separating with the model."""

import pathlib
import re
import sys

import numpy as np
import pytest

from kerasep import Separator, zoo
from kerasep.cli import verification
from kerasep.importers import originals
from kerasep.zoo import cards as presets

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix"


def small_presets(monkeypatch):
    """Make the presets of Open-Unmix as small as the files in the folder."""
    cards = presets.all_cards()
    cards["open_unmix_like"]["arguments"] |= {"n_fft": 64, "hop": 16, "hidden": 12, "max_hz": 2400}
    cards["open_unmix_like"]["arguments"] |= {"sample_rate": 8000}
    monkeypatch.setattr(presets, "all_cards", lambda: cards)


def test_import_and_separate(folder, tmp_path, monkeypatch, capsys, call, refused, files):
    small_presets(monkeypatch)
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


def test_verify_names_the_package_that_is_missing(tmp_path, monkeypatch, capsys, call):
    monkeypatch.setitem(sys.modules, "torch", None)
    small_presets(monkeypatch)
    command = ("import", GOLDEN, "--as", "open_unmix_like/umx", "--sources", "vocals,drums")
    assert call(*command, "--out", tmp_path / "umx.keras", "--verify") == 0
    *_, written, line = capsys.readouterr().out.splitlines()
    assert "umx.keras" in written
    assert re.match(r"not compared with the original: received no package torch, .*openunmix", line)


def test_verify_refuses_estimates_that_differ(tmp_path, monkeypatch, capsys, call):
    """An original whose estimates differ from ours by 1 % of each sample."""

    def separate(model, checkpoint, mixture):
        estimates = Separator(model).predict_on_batch(mixture[None, :3000])[0]
        return estimates * (1 + 0.01 * np.where(np.arange(3000) % 2, 1, -1)[:, None, None])

    monkeypatch.setattr(originals, "separate", separate)
    monkeypatch.setattr(verification, "SECONDS", 1.0)
    small_presets(monkeypatch)
    command = ("import", GOLDEN, "--as", "open_unmix_like/umx", "--sources", "vocals,drums")
    assert call(*command, "--out", tmp_path / "umx.weights.h5", "--verify") == 2
    output, error = capsys.readouterr()
    assert "vocals: agrees with openunmix to 40.0 dB" in output
    assert "drums: agrees with openunmix to 40.0 dB" in output
    assert "agree with those of openunmix to 40.0 dB, expected at least 60 dB: report" in error


def test_silent_estimates_are_measured_against_the_mixture():
    mixture = np.ones((10, 1))
    theirs = np.zeros((10, 1, 2))
    theirs[..., 0] = 1
    ours = theirs + 1e-5
    agreement = verification.agreement(ours, theirs, mixture)
    np.testing.assert_allclose(agreement, [100, 40], atol=1e-6)
    assert np.all(verification.agreement(theirs, theirs, mixture) >= 299)


def test_a_file_of_other_sizes_than_the_preset(tmp_path, capsys, call, refused):
    """An ONNX file that is recognised, and projects whose files do not show their settings."""
    from tests.importers import test_mdx_net as graphs

    slots = list(graphs.mdx_net._slots(graphs.small()))
    rng = np.random.default_rng(0)
    shapes = {n: s for slot in slots for n, s in zip(slot.names, slot.shapes, strict=True)}
    state = {name: rng.random(shape, "float32") for name, shape in shapes.items()}
    path = graphs.write_graph(tmp_path / "stem.onnx", state, kept=["tdf"])
    command = ("import", path, "--as", "mdx_net_like", "--own-settings", "--out")
    assert "does not show the length of its FFT" in refused(*command, tmp_path / "a.keras")
    assert "ends in .keras: no preset fits" in refused(*command, tmp_path / "a.weights.h5")
    settings = {"sources": ("instrumental", "vocals"), "n_fft": 2048, "compensate": 1.5}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs.mdx_net_files, "settings", lambda path: settings)
        assert call(*command, tmp_path / "a.keras") == 0
    assert "instrumental, vocals" in capsys.readouterr().out
    model = zoo.load(tmp_path / "a.keras")
    assert (model.n_fft, model.compensate, model.bins) == (2048, 1.5, 32)
    kernel = model.get_layer("output_conv").kernel
    np.testing.assert_array_equal(kernel, state["final_conv.0.weight"].transpose(2, 3, 1, 0))
    wavenet = ("import", path, "--as", "wavenet_like", *command[4:])
    assert "files do not show their settings" in refused(*wavenet, tmp_path / "b.keras")
    nussl = ("import", path, "--as", "chimera_like", *command[4:])
    assert "missing a required argument: 'sources'" in refused(*nussl, tmp_path / "b.keras")
