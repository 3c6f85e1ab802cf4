"""tensorflow-io: chosen only where it runs, and then the same samples as from soundfile."""

import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from kerasep.data import find_tracks
from kerasep.data.prepared import tfio

KINDS = [
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("wav", "FLOAT"),
    ("flac", "PCM_16"),
    ("flac", "PCM_24"),
    ("ogg", "VORBIS"),
    ("mp3", "MPEG_LAYER_III"),
]


def needs_tensorflow_io():
    pytest.importorskip("tensorflow_io", reason="tensorflow-io is not installed")
    if not tfio.available():
        pytest.skip("tensorflow-io does not run beside this TensorFlow")


def noise(samples, channels=2):
    return np.random.default_rng(samples).uniform(-0.5, 0.5, (samples, channels))


def test_is_not_chosen_without_it(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    caplog.set_level(logging.INFO)
    tfio.available.cache_clear()
    assert not tfio.available()
    assert not tfio.available()
    assert caplog.text.count("soundfile and PyAV decode audio files") == 1
    tfio.available.cache_clear()


def test_is_not_chosen_where_it_is_imported_and_fails(monkeypatch, caplog):
    def fail(*_):
        raise NotImplementedError("unable to open file: libtensorflow_io.so")

    broken = SimpleNamespace(audio=SimpleNamespace(resample=fail))
    monkeypatch.setitem(sys.modules, "tensorflow_io", broken)
    tfio.available.cache_clear()
    assert not tfio.available()
    assert f"does not run beside TensorFlow {tf.__version__}" in caplog.text
    tfio.available.cache_clear()


@pytest.mark.tfio
@pytest.mark.parametrize(("suffix", "subtype"), KINDS)
def test_decodes_slices_as_soundfile_does(tmp_path, suffix, subtype):
    needs_tensorflow_io()
    path = str(tmp_path / f"noise.{suffix}")
    soundfile.write(path, noise(44100), 44100, subtype)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    found = tf.function(tfio.decode)(tf.constant(path), tfio.kind_of(path), 3000, 9000)
    np.testing.assert_allclose(found, whole[3000:9000], atol=2e-6)


@pytest.mark.tfio
def test_what_it_reads_wrongly_is_left_to_soundfile(tmp_path):
    for subtype in ("PCM_32", "PCM_U8", "DOUBLE"):
        soundfile.write(tmp_path / "noise.wav", noise(100), 8000, subtype)
        assert tfio.kind_of(tmp_path / "noise.wav") is None
    (tmp_path / "noise.wav").write_text("no audio")
    assert tfio.kind_of(tmp_path / "noise.wav") is None


@pytest.mark.tfio
def test_calls_at_once_do_not_read_from_each_other_s_files(tmp_path):
    needs_tensorflow_io()
    paths = [str(tmp_path / f"{number}.flac") for number in range(8)]
    for number, path in enumerate(paths):
        soundfile.write(path, np.full((9000, 1), number / 8), 8000, "PCM_16")
    chosen = np.random.default_rng(0).integers(0, 8, 300)
    dataset = tf.data.Dataset.from_tensor_slices(chosen).map(
        lambda number: tfio.decode(tf.gather(paths, number), tfio.kind_of(paths[0]), 100, 2000),
        num_parallel_calls=8,
    )
    for number, found in zip(chosen, dataset, strict=True):
        np.testing.assert_array_equal(found, np.full((1900, 1), number / 8, "float32"))


@pytest.mark.tfio
def test_batches_are_those_of_soundfile(tmp_path):
    """Mono and stereo stems, of different length; one that sums several."""
    needs_tensorflow_io()
    for track in ("first", "second"):
        (tmp_path / track).mkdir()
        for stem, samples, channels in (("vocals", 8000, 1), ("drums", 9000, 2), ("bass", 500, 2)):
            path = tmp_path / track / f"{stem}.flac"
            soundfile.write(path, noise(samples, channels), 8000, "PCM_16")
    model = SimpleNamespace(sources=("vocals", "accompaniment"), sample_rate=8000, channels=2)
    steps, epoch = tfio.batches(
        tmp_path, model, 4000, crops_per_track=None, remix=0, gain=None, swap=False, seed=0,
        part=(0, 1), batch_size=2, training=False,
    )  # fmt: skip
    found = list(epoch(tf.constant(0, tf.int64), 0))
    assert len(found) == steps
    tracks = find_tracks(tmp_path)
    starts = [(track, start) for track in tracks for start in (0, 0.5, 1.0)]
    mixtures = np.concatenate([mixture for mixture, _ in found])
    sources = np.concatenate([stems for _, stems in found])
    assert len(mixtures) == len(starts) == 6
    for (track, start), mixture, stems in zip(starts, mixtures, sources, strict=True):
        expected = track.read(model.sources, 8000, 2, start, 0.5)
        np.testing.assert_allclose(mixture, expected[0], atol=1e-6)
        np.testing.assert_allclose(stems, expected[1], atol=1e-6)
