"""How the C code is compiled, and what its command says."""

import numpy as np
import pytest
import soundfile

import kerasep


@pytest.mark.parametrize("compiler", ["clang"])  # the fixture built checks cc, mostly gcc
def test_it_compiles_without_warnings(build, tmp_path, compiler):
    done = build(tmp_path, compiler=compiler)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr


def test_another_version_of_litert_is_refused(build, tmp_path):
    done = build(tmp_path, LITERT_VERSION="2.4.0")
    assert done.returncode != 0
    assert "received ai-edge-litert '2.4.0', expected 2.3" in done.stdout


def test_the_command_says_what_a_file_holds(built, run, exported):
    done = run(built / "kerasep-native", exported[1])
    assert done.returncode == 0
    assert "sources      vocals drums" in done.stdout
    assert "chunk        8000 samples, 1.000 s" in done.stdout


def test_it_states_its_version(built, run, library):
    done = run(built / "kerasep-native", "--version")
    assert (done.returncode, done.stdout) == (0, f"kerasep-native {kerasep.__version__}\n")
    assert library.kerasep_version().decode() == kerasep.__version__


def test_nothing_of_litert_is_printed(built, run, exported, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(500, 2), 8000)
    done = run(built / "kerasep-native", exported[1], tmp_path / "a.wav", tmp_path / "stems")
    assert done.stderr == ""
    assert done.stdout.split() == [f"{tmp_path}/stems/{name}.wav" for name in ("vocals", "drums")]


def test_the_command_explains_itself(built, run):
    for arguments in (
        [],
        ["--help"],
        ["a", "b"],
        ["--threads", "none", "a"],
        ["--band", "all", "a"],
        list("abcd"),
    ):
        done = run(built / "kerasep-native", *arguments)
        assert done.returncode == 2
        assert "kerasep-native MODEL.tflite RECORDING.wav FOLDER" in done.stderr


def test_no_file_is_overwritten_unasked(built, run, separated, tiny, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(500, 1), 8000)
    first = separated(built, tiny, tmp_path / "a.wav", tmp_path / "stems")
    soundfile.write(tmp_path / "b.wav", noise(500, 1, seed=1), 8000)
    again = run(built / "kerasep-native", tiny, tmp_path / "b.wav", tmp_path / "stems")
    assert again.returncode == 1
    assert "same.wav exists: remove it, or ask to --overwrite" in again.stderr
    kept = soundfile.read(tmp_path / "stems" / "same.wav", dtype="float32", always_2d=True)[0]
    np.testing.assert_array_equal(kept, first["same"])


def test_a_folder_that_cannot_be_made_is_refused(built, run, tiny, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(500, 1), 8000)
    done = run(built / "kerasep-native", tiny, tmp_path / "a.wav", tmp_path / "no" / "stems")
    assert done.returncode == 1
    assert "cannot make the folder" in done.stderr
