"""`kerasep export`, and separating with the file."""

import numpy as np
import pytest

from kerasep import tflite, zoo


def test_export_and_separate_with_the_file(folder, tmp_path, capsys, call, refused, files, start):
    file = tmp_path / "model.tflite"
    assert call("export", "--model", folder / "run", "--out", file, "--seconds", 0.5) == 0
    assert "dB" in capsys.readouterr().out
    # The file alone, where neither Keras nor TensorFlow is there.
    bare = "import sys; sys.modules.update(keras=None, tensorflow=None)"
    process = start(
        *("separate", folder / "mixture.wav", "--model", file, "--out", tmp_path / "bare"),
        first=bare,
    )
    _, error = process.communicate(timeout=300)
    assert (process.returncode, error) == (0, "")
    for model, out in ((file, tmp_path / "edge"), (folder / "run", tmp_path / "keras")):
        assert call("separate", folder / "mixture.wav", "--model", model, "--out", out) == 0
    assert files(tmp_path / "edge") == files(tmp_path / "keras")
    assert "exists" in refused("export", "--model", folder / "run", "--out", file)


@pytest.mark.slow
def test_export_of_the_network_with_small_weights(folder, tmp_path, capsys, call, refused, files):
    command = ("export", "--model", folder / "run", "--seconds", 0.5, "--out")
    file = tmp_path / "network.tflite"
    assert call(*command, file, "--mode", "mask", "--quantization", "int8") == 0
    printed = capsys.readouterr().out
    assert "magnitude (1," in printed
    assert "int8" in printed
    assert "SI-SDR" in printed
    error = refused("separate", folder / "mixture.wav", "--model", file, "--out", tmp_path)
    assert "mode='mask'" in error
    other = tmp_path / "other.tflite"
    again = ("export", "--model", file, "--out", other, "--quantization", "float16")
    assert "int8 already" in refused(*again)
    assert "expected one of" in refused(*command, other, "--mode", "masks")
    assert "expected one of" in refused(*command, other, "--quantization", "int4")
    assert files(tmp_path) == ["network.tflite"]


@pytest.mark.parametrize("model", ["open_unmix_like/small", "model.tflite"])
def test_nothing_to_export(tmp_path, model, refused, files):
    error = refused("export", "--model", model, "--out", tmp_path / "new.tflite")
    assert "no trained weights" in error or "exported already" in error
    assert not files(tmp_path)


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        ("model.tflite", ("--quantization", "int8"), "export the model again to change the rest"),
        ("run", ("--mode", "streaming"), "--seconds with --mode streaming"),
    ],
)
def test_seconds_that_would_be_ignored_are_refused(tmp_path, model, more, message, refused):
    command = ("export", "--model", model, "--out", tmp_path / "new.tflite", "--seconds", 6)
    assert message in refused(*command, *more)


@pytest.mark.slow
def test_files_add_up_to_the_mixture_unless_told(tmp_path, call):
    model, mixture = tmp_path / "m.keras", np.zeros((1, 4096, 1), "float32")
    mixture[:] = 0.1 * np.random.default_rng(0).standard_normal(mixture.shape)
    zoo.load("open_unmix_like/small", sources=["vocals", "accompaniment"], hidden=8).save(model)
    errors = {}
    for options in ((), ("--consistent",), ("--no-consistent",), ("--residual", "rest")):
        file = tmp_path / "m.tflite"
        command = ("export", "--model", model, "--out", file, "--overwrite", "--no-check")
        assert call(*command, "--seconds", 0.25, *options) == 0
        runtime = tflite.Runtime(file)
        sources = runtime.process(np.resize(mixture[0], (runtime.chunk, 1)))
        total = sources.sum(axis=-1) - np.resize(mixture[0], (runtime.chunk, 1))
        errors[options] = np.abs(total).max()
    assert errors.pop(("--no-consistent",)) > 0.01
    assert max(errors.values()) < 1e-5
