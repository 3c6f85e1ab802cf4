"""tensorflow-io: refused where it does not run, and else the same samples as from soundfile."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from kerasep.data import audio, waveforms, write_songs
from kerasep.data.audio import tfio
from kerasep.data.datasets.stems import Stem
from kerasep.errors import InputError

KINDS = [
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("wav", "FLOAT"),
    ("flac", "PCM_16"),
    ("flac", "PCM_24"),
    ("ogg", "VORBIS"),
    ("mp3", "MPEG_LAYER_III"),
]
MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1)


@pytest.fixture
def available():
    try:
        tfio.check_available()
    except InputError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def unknown():
    """Forget whether it runs."""
    tfio.check_available.cache_clear()
    yield
    tfio.check_available.cache_clear()


def noise(samples, channels=2):
    return np.random.default_rng(samples).uniform(-0.5, 0.5, (samples, channels))


def stem(path):
    return Stem(path, 0, audio.info(path))


def test_refused_without_it(tmp_path, monkeypatch, unknown):
    write_songs(tmp_path, 2, seconds=0.5, sample_rate=8000)
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    with pytest.raises(InputError, match="which is not installed: expected None"):
        waveforms(tmp_path, MODEL, batch_size=1, crop_seconds=0.1, reader="tensorflow-io")


def test_refused_if_it_can_be_imported_and_fails(monkeypatch, unknown):
    def fail(*_):
        raise NotImplementedError("unable to open file: libtensorflow_io.so")

    broken = SimpleNamespace(audio=SimpleNamespace(resample=fail))
    monkeypatch.setitem(sys.modules, "tensorflow_io", broken)
    with pytest.raises(InputError, match=f"do not run with TensorFlow {tf.__version__}"):
        tfio.check_available()


def test_files_that_it_reads_wrongly_are_left_to_kerasep(tmp_path):
    for subtype in ("PCM_32", "PCM_U8", "DOUBLE"):
        path = tmp_path / f"{subtype}.wav"
        soundfile.write(path, noise(100), 8000, subtype)
        out = np.empty((100, 2), "float32")
        tfio.open_stem(stem(path)).read_into(0, out)
        np.testing.assert_array_equal(out, audio.read(path)[0])


@pytest.mark.tfio
@pytest.mark.parametrize(("suffix", "subtype"), KINDS)
def test_slices_are_those_of_soundfile(tmp_path, available, suffix, subtype):
    path = tmp_path / f"noise.{suffix}"
    soundfile.write(path, noise(44100), 44100, subtype)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    file = tfio.open_stem(stem(path))
    # FFmpeg counts the samples of an MP3 file otherwise, and its count is the one that holds.
    assert isinstance(file, tfio.TensorFlowIOFile) == (file.info.samples == len(whole))
    if isinstance(file, tfio.TensorFlowIOFile):
        out = np.empty((6000, 2), "float32")
        file.read_into(3000, out)
        np.testing.assert_allclose(out, whole[3000:9000], atol=2e-6)
        np.testing.assert_array_equal(np.concatenate([*file.blocks(3000, 6000, 2500)]), out)


@pytest.mark.tfio
def test_files_open_at_once_are_not_taken_for_each_other(tmp_path, available):
    stems = []
    for number in range(8):
        path = tmp_path / f"{number}.flac"
        soundfile.write(path, np.full((9000, 1), number / 8), 8000, "PCM_16")
        stems.append(stem(path))
    wrong = []

    def read(seed):
        rng, files = np.random.default_rng(seed), [tfio.open_stem(stem) for stem in stems]
        out = np.empty((1900, 1), "float32")
        for step in range(100):
            number = int(rng.integers(8))
            files[number].read_into(100, out)
            wrong.extend([number] if (out != number / 8).any() else [])
            if step % 10 == 0:
                files[number].close()
                files[number] = tfio.open_stem(stems[number])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.tfio
@pytest.mark.parametrize("training", [True, False])
def test_batches_are_those_of_kerasep(tmp_path, available, training):
    write_songs(tmp_path, 3, seconds=2.0, sample_rate=16000)
    options = {"batch_size": 2, "crop_seconds": 0.5, "training": training}
    read = waveforms(tmp_path, MODEL, reader="tensorflow-io", **options)
    for batch, expected in zip(read, waveforms(tmp_path, MODEL, **options), strict=True):
        for received, wanted in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(received, wanted)


@pytest.mark.tfio
def test_a_file_that_goes_bad_is_named(tmp_path, available, caplog):
    write_songs(tmp_path, 3, seconds=2.0, sample_rate=8000)
    dataset = waveforms(tmp_path, MODEL, batch_size=2, crop_seconds=1.0, reader="tensorflow-io")
    path = sorted(tmp_path.glob("*/bass.flac"))[0]
    path.write_bytes(path.read_bytes()[:3000])
    for _ in range(3):
        assert len(list(dataset)) == 3
    assert f"skipped from now on: {path}" in caplog.text
