"""`kerasep separate` on single recordings: formats, names and what it refuses."""

import resource
import signal

import numpy as np
import pytest
import soundfile

from kerasep import data


def test_residual_and_other_formats(folder, tmp_path, call):
    command = ("separate", folder / "mixture.wav", "--model", folder / "run", "--out", tmp_path)
    assert call(*command, "--suffix", "flac", "--residual", "rest") == 0
    mixture = data.read(folder / "mixture.wav")[0]
    stems = sum(data.read(path)[0] for path in (tmp_path / "mixture").glob("*.flac"))
    np.testing.assert_allclose(stems, mixture, atol=1e-5)


def test_names_with_brackets(folder, tmp_path, capsys, call):
    path = tmp_path / "[live] song.wav"
    path.write_bytes((folder / "mixture.wav").read_bytes())
    assert call("separate", path, "--model", folder / "run", "--out", tmp_path) == 0
    assert str(tmp_path / "[live] song" / "bass.wav") in capsys.readouterr().out.splitlines()


def test_a_preset_without_weights_does_not_separate(folder, tmp_path, refused, files):
    error = refused(
        "separate", folder / "mixture.wav", "-m", "open_unmix_like/small", "--out", tmp_path
    )
    assert "train it first" in error
    assert files(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_bad_recordings(folder, tmp_path, content, refused, files):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    error = refused("separate", path, "--model", folder / "run", "--out", tmp_path / "out")
    assert "bad.wav" in error
    assert files(tmp_path) == ([] if content is None else ["bad.wav"])
    assert not (tmp_path / "out").exists()


def test_a_silent_recording(folder, tmp_path, capsys, call):
    path = tmp_path / "silent.wav"
    data.write(path, np.zeros((16000, 1), "float32"), 16000)
    assert call("separate", path, "--model", folder / "run", "--out", tmp_path / "out") == 0
    assert "silent.wav is silent throughout" in capsys.readouterr().out.replace("\n", " ")
    for stem in (tmp_path / "out" / "silent").iterdir():
        waveform, rate = data.read(stem)
        assert (waveform.shape, rate) == ((16000, 1), 16000)
        assert not waveform.any()


def test_existing_outputs_are_kept(folder, tmp_path, call, refused, files):
    kept = tmp_path / "mixture" / "bass.wav"
    kept.parent.mkdir()
    kept.write_text("mine")
    command = ("separate", folder / "mixture.wav", "--model", folder / "run", "--out", tmp_path)
    assert "exists" in refused(*command)
    assert kept.read_text() == "mine"
    assert files(tmp_path) == ["mixture/bass.wav"]
    assert call(*command, "--overwrite") == 0
    assert soundfile.info(kept).frames == 9000


def test_a_file_that_is_no_model(folder, tmp_path, refused):
    for name in ("model.keras", "model.tflite"):
        (tmp_path / name).write_text("not a model")
        error = refused(
            "separate", folder / "mixture.wav", "-m", tmp_path / name, "--out", tmp_path
        )
        assert name in error


@pytest.mark.slow
def test_a_full_disk(folder, tmp_path, files, start):
    # A limit on the size of files fails writes as a full disk does, with another errno.
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = start(
        *("separate", folder / "mixture.wav", "--model", folder / "run", "--out", tmp_path),
        preexec_fn=limit,
    )
    _, error = process.communicate(timeout=300)
    assert process.returncode == 2, error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert files(tmp_path) == []
