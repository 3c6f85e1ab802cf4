"""The C command for 64-bit ARM, emulated: its samples equal those of this machine."""

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

SCRIPT = pathlib.Path(__file__).parents[3] / "tflite" / "native" / "arm64"
NEEDED = {
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "qemu-aarch64-static": "qemu-user-static",
    "apt-get": "apt",
}
# LiteRT reads its processor's description, and crashes if it is that of an x86.
PROCESSOR = """\
processor\t: 0
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp asimdrdm lrcpc asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd0b
CPU revision\t: 1
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def arm64(tmp_path_factory):
    """Function of the command's arguments that runs it on an emulated Cortex-A76."""
    for command, package in NEEDED.items():
        if shutil.which(command) is None:
            pytest.skip(f"there is no {command}: apt-get install {package}")
    built = tmp_path_factory.mktemp("arm64")
    done = subprocess.run([SCRIPT, sys.executable, built], capture_output=True, text=True)
    if done.returncode and "aarch64-linux-gnu-gcc" not in done.stdout:
        pytest.skip(f"a library for ARM is not to be had: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
    root = tmp_path_factory.mktemp("root")
    (root / "proc").mkdir()
    (root / "proc" / "cpuinfo").write_text(PROCESSOR)
    (root / "lib").symlink_to("/usr/aarch64-linux-gnu/lib")

    def arm64(*arguments):
        command = ["qemu-aarch64-static", "-cpu", "cortex-a76", "-L", root]
        command += [built / "kerasep-native", *arguments]
        return subprocess.run([str(part) for part in command], capture_output=True, text=True)

    return arm64


@pytest.fixture(scope="module")
def files(small_model, tmp_path_factory):
    """Files of the same model with float32 and int8 weights."""
    from kerasep.tflite import export

    folder = tmp_path_factory.mktemp("files")
    for kind in (None, "int8"):
        path = folder / f"{kind or 'float32'}.tflite"
        export(small_model, path, seconds=0.5, quantization=kind, check=False)
    return folder


def _agreement(received, expected):
    error = np.sum((received - expected) ** 2, dtype="float64")
    return 10 * np.log10(np.sum(expected**2, dtype="float64") / max(error, 1e-30))


@pytest.mark.parametrize(("kind", "least_db"), [("float32", 100), ("int8", 60)])
def test_samples_equal_those_of_x86(
    arm64, built, separated, files, noise, tmp_path, kind, least_db
):
    model = files / f"{kind}.tflite"
    soundfile.write(tmp_path / "a.wav", noise(22050, 2), 44100, "FLOAT")
    done = arm64("--threads", "1", model, tmp_path / "a.wav", tmp_path / "arm")
    assert done.returncode == 0, done.stderr
    expected = separated(built, model, tmp_path / "a.wav", tmp_path / "x86")
    for name, stem in expected.items():
        received = soundfile.read(tmp_path / "arm" / f"{name}.wav", dtype="float32")[0]
        assert _agreement(received, stem) > least_db, name


def test_streams_equal_those_of_x86(arm64, built, separated, stream_file, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(4000, 1), 8000, "FLOAT")
    done = arm64("--threads", "1", stream_file, tmp_path / "a.wav", tmp_path / "arm")
    assert done.returncode == 0, done.stderr
    expected = separated(built, stream_file, tmp_path / "a.wav", tmp_path / "x86")
    for name, stem in expected.items():
        received = soundfile.read(tmp_path / "arm" / f"{name}.wav", always_2d=True)[0]
        assert _agreement(received, stem) > 100, name
