"""Batches: right sums, reproducible epochs, deterministic validation, clear refusals."""

import dataclasses
import inspect
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from kerasep import ops
from kerasep.data import audio, find_tracks, spectrograms, waveforms, write_songs
from kerasep.data.datasets import tracks
from kerasep.data.sampling.settings import Sampling
from kerasep.data.sampling.spectra import stft
from kerasep.errors import InputError

RATE = 8000
STFT = {"n_fft": 256, "hop": 64, "window": "hann"}


def model(sources=("vocals", "drums", "bass", "other"), channels=1, sample_rate=RATE, stft=STFT):
    return SimpleNamespace(sources=sources, sample_rate=sample_rate, channels=channels, stft=stft)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "songs"
    write_songs(folder, 3, seconds=2.0, sample_rate=RATE)
    return folder


def collect(dataset):
    return [tuple(value.numpy() for value in batch) for batch in dataset]


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b)
        for x, y in zip(first, second, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_training_batches(folder):
    dataset = waveforms(folder, model(), batch_size=4, crop_seconds=0.5)
    assert dataset.element_spec == (
        tf.TensorSpec((4, 4000, 1), tf.float32),
        tf.TensorSpec((4, 4000, 1, 4), tf.float32),
    )
    assert dataset.cardinality() == 3  # 3 tracks of 4 crops
    batches = collect(dataset)
    assert len(batches) == 3
    for mixture, sources in batches:
        np.testing.assert_allclose(mixture, sources.sum(axis=-1), atol=1e-6)
        assert np.abs(sources).max() > 0.05


def test_epochs_are_reproducible_and_resumable(folder):
    options = {"batch_size": 4, "crop_seconds": 0.5, "seed": 3}
    dataset = waveforms(folder, model(), **options)
    first, second, third = (collect(dataset) for _ in range(3))
    assert not same(first, second)
    again = waveforms(folder, model(), **options)
    assert same(first, collect(again))
    assert same(second, collect(again))
    assert same(third, collect(waveforms(folder, model(), first_epoch=2, **options)))
    assert not same(first, collect(waveforms(folder, model(), **{**options, "seed": 4})))


def test_a_pass_starts_within_its_epoch(folder):
    options = {"batch_size": 2, "crop_seconds": 0.5}
    whole = waveforms(folder, model(), **options)
    _, second, third = (collect(whole) for _ in range(3))
    resumed = waveforms(folder, model(), first_epoch=1, first_step=4, **options)
    assert resumed.cardinality() == tf.data.UNKNOWN_CARDINALITY
    assert same(second[4:], collect(resumed))
    assert same(third, collect(resumed))


def test_crops_as_recorded_are_found_in_their_track(folder):
    options = {"remix": 0.0, "gain": None, "batch_size": 1, "crop_seconds": 0.25}
    whole = {track.name: track.read(model().sources, RATE, 1)[1] for track in find_tracks(folder)}
    heard, starts = set(), set()
    for _, sources in collect(waveforms(folder, model(), crops_per_track=4, **options)):
        for name, stems in whole.items():
            windows = np.lib.stride_tricks.sliding_window_view(stems[:, 0, 0], 2000)
            near = np.flatnonzero((windows[:, :3] == sources[0, :3, 0, 0]).all(axis=1))
            for start in near:
                if np.array_equal(stems[start : start + 2000], sources[0]):
                    heard.add(name)
                    starts.add((name, start))
    assert heard == set(whole)
    assert len(starts) == 12


def test_remix_and_gain(folder):
    whole = np.concatenate(
        [track.read(model().sources, RATE, 1)[1] for track in find_tracks(folder)]
    )
    peak = np.abs(whole).max()
    options = {"batch_size": 12, "crop_seconds": 0.5, "crops_per_track": 4}
    ((_, plain),) = collect(waveforms(folder, model(), remix=0, gain=None, **options))
    ((_, loud),) = collect(waveforms(folder, model(), remix=0, gain=(2, 2), **options))
    assert np.abs(plain).max() <= peak
    # The same draws but for the factor.
    np.testing.assert_allclose(loud, 2 * plain, atol=1e-6)
    ((_, mixed),) = collect(waveforms(folder, model(), remix=1, gain=None, **options))
    np.testing.assert_array_equal(mixed[..., 0], plain[..., 0])
    assert all(np.abs(mixed[..., i] - plain[..., i]).max() > 0.01 for i in (1, 2, 3))


def test_stereo_channels_are_swapped_half_of_the_time(tmp_path):
    (tmp_path / "a").mkdir()
    panned = np.full((RATE, 2), [0.5, 0.1], "float32")
    audio.write(tmp_path / "a" / "vocals.wav", panned, RATE)
    options = {"batch_size": 64, "crop_seconds": 0.01, "crops_per_track": 64, "gain": None}
    ((_, sources),) = collect(waveforms(tmp_path, model(("vocals",), 2), **options))
    swapped = np.isclose(sources[:, 0, 0, 0], 0.1).mean()
    assert 0.25 < swapped < 0.75
    np.testing.assert_allclose(sources.sum(axis=2), 0.6, atol=1e-6)
    ((_, sources),) = collect(waveforms(tmp_path, model(("vocals",), 2), swap=False, **options))
    np.testing.assert_array_equal(sources[:, 0, :, 0], np.broadcast_to(panned[0], (64, 2)))


def test_stems_that_are_no_source_are_in_the_mixture(folder):
    options = {"batch_size": 4, "crop_seconds": 0.5, "remix": 0.0, "gain": None}
    wanted = collect(waveforms(folder, model(("vocals",)), **options))
    everything = collect(waveforms(folder, model(), **options))
    for (mixture, sources), (full, _) in zip(wanted, everything, strict=True):
        assert sources.shape == (4, 4000, 1, 1)
        np.testing.assert_allclose(mixture, full, atol=1e-6)
        assert np.abs(mixture - sources[..., 0]).max() > 0.05


@pytest.mark.parametrize("remix", [0.0, 1.0])
def test_accompaniment_is_derived(folder, remix):
    dataset = waveforms(
        folder, model(("vocals", "accompaniment")), batch_size=2, crop_seconds=0.5, remix=remix
    )
    for mixture, sources in collect(dataset):
        np.testing.assert_allclose(mixture, sources.sum(axis=-1), atol=1e-6)


def test_validation_covers_every_track_in_order(folder):
    options = {"training": False, "batch_size": 4, "crop_seconds": 0.8}
    dataset = waveforms(folder, model(), **options)
    first, second = collect(dataset), collect(dataset)
    assert same(first, second)
    assert [len(mixture) for mixture, _ in first] == [4, 4, 1]
    joined = np.concatenate([sources for _, sources in first]).reshape(3, -1, 1, 4)
    for track, crops in zip(find_tracks(folder), joined, strict=True):
        _, stems = track.read(model().sources, RATE, 1)
        np.testing.assert_array_equal(crops[:16000], stems)
        assert not crops[16000:].any()


def test_tracks_shorter_than_a_crop_are_filled_with_silence(folder):
    dataset = waveforms(folder, model(), batch_size=3, crop_seconds=3.0)
    ((mixture, _),) = collect(dataset)
    assert mixture[:, :15900].any()
    assert not mixture[:, 16000:].any()


@pytest.mark.parametrize("training", [True, False])
def test_spectrograms(folder, training):
    options = {"batch_size": 2, "crop_seconds": 0.5, "training": training}
    dataset = spectrograms(folder, model(("vocals", "bass")), **options)
    batch = 2 if training else None
    assert dataset.element_spec == (
        tf.TensorSpec((batch, 63, 129, 1), tf.float32),
        tf.TensorSpec((batch, 63, 129, 1, 3, 2), tf.float32),
    )
    pairs = collect(waveforms(folder, model(("vocals", "bass")), **options))
    assert dataset.cardinality() == len(pairs)
    for (mixture, sources), (magnitude, reference) in zip(pairs, collect(dataset), strict=True):
        expected = stft(mixture, **STFT).numpy()
        np.testing.assert_allclose(reference[..., 0, :], expected, atol=1e-4)
        np.testing.assert_allclose(magnitude, np.hypot(*np.moveaxis(expected, -1, 0)), atol=1e-4)
        for index in range(2):
            np.testing.assert_allclose(
                reference[..., 1 + index, :], stft(sources[..., index], **STFT), atol=1e-4
            )


@pytest.mark.parametrize("hop", [127, 129, 150, 192])
@pytest.mark.parametrize("augment", [None, {"mask_spectrum": {}}])
def test_frames_are_the_model_s(folder, hop, augment):
    """Also with hops above half a frame, where the last frame needs some silence."""
    wide = model(("vocals",), stft={"n_fft": 256, "hop": hop, "window": "hann"})
    options = {"batch_size": 2, "crop_seconds": 0.5, "augment": augment}
    (magnitude, reference), *_ = collect(spectrograms(folder, wide, **options).take(1))
    (mixture, sources), *_ = collect(waveforms(folder, wide, **options | {"augment": None}).take(1))
    signals = np.concatenate([mixture, sources[..., 0]], axis=-1)
    expected = ops.stft(signals, **wide.stft).numpy()[:, :, :, None]
    np.testing.assert_allclose(magnitude, np.linalg.norm(reference[..., 0, :], axis=-1), rtol=1e-5)
    masked = magnitude == 0
    assert masked.any() == bool(augment)
    expected[masked] = 0
    assert reference.shape == expected.shape
    np.testing.assert_allclose(reference, expected, atol=1e-4)


def test_every_head_has_the_reference(folder):
    heads = model(("vocals", "bass"))
    heads.output = {"embedding": None, "estimates": None}
    options = {"batch_size": 2, "crop_seconds": 0.5, "training": False}
    dataset = spectrograms(folder, heads, **options)
    expected = collect(spectrograms(folder, model(("vocals", "bass")), **options))
    for (x, y), (magnitude, reference) in zip(dataset, expected, strict=True):
        assert y.keys() == heads.output.keys()
        np.testing.assert_array_equal(x, magnitude)
        for value in y.values():
            np.testing.assert_array_equal(value, reference)


def test_stereo_spectrograms_keep_channels_and_sources_apart(folder):
    stereo = model(("vocals", "bass"), channels=2)
    options = {"batch_size": 2, "crop_seconds": 0.5, "training": False}
    (_, sources), *_ = collect(waveforms(folder, stereo, **options))
    (_, reference), *_ = collect(spectrograms(folder, stereo, **options))
    for channel in range(2):
        expected = stft(sources[:, :, channel : channel + 1, 1], **STFT)[..., 0, :]
        np.testing.assert_allclose(reference[:, :, :, channel, 2], expected, atol=1e-4)


def test_a_file_that_goes_bad_is_named(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "songs")
    dataset = waveforms(tmp_path / "songs", model(), batch_size=3, crop_seconds=1.0)
    for path in (tmp_path / "songs").glob("*/bass.flac"):
        path.write_text("no audio")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"bass\.flac is not audio"):
        collect(dataset)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_seconds": 0}, "expected numbers above 0"),
        ({"crop_seconds": -1.0}, "expected numbers above 0"),
        ({"batch_size": 0}, "expected numbers above 0"),
        ({"crops_per_track": 0}, "expected numbers above 0"),
        ({"remix": 1.5}, "expected a probability"),
        ({"gain": (2, 1)}, "expected a probability"),
        ({"seed": -1}, "whole numbers from 0 on"),
        ({"semitones": -1}, "whole numbers from 0 on"),
        ({"first_epoch": -1, "batch_size": 2}, "whole numbers from 0 on"),
        ({"threads": 0}, "at least one thread"),
        ({"snr": (5, 0)}, "expected a range of decibels"),
        ({"snr": 5}, "expected a range of decibels"),
        ({"gain": [0.5]}, "expected a probability"),
        ({"remix": "often"}, "expected a probability"),
        ({"min_level": "loud"}, "expected decibels"),
        ({"level": "loud"}, "received level=loud: expected decibels"),
        ({"part": (2, 2)}, "expected .number, count. with a count that divides it"),
        ({"min_sources": 5}, "the model has 4 sources"),
        ({"augment": ["reverberate"]}, "expected a dict from names to settings"),
        ({"augment": {"reverb": {}}}, "expected some of add_noise"),
        ({"augment": {"add_noise": {"level": 3}}}, "received level for add_noise"),
        ({"augment": {"add_noise": {"share": 2}}}, "expected a probability"),
        ({"augment": {"add_noise": {"snr": "loud"}}}, "expected what its arguments are for"),
        ({"augment": {"change_pitch": {"on": "mixture"}}}, "expected sources"),
        ({"augment": {"code": {"formats": ["wma"]}}}, "expected some of mp3, ogg"),
        ({"augment": {"mask_spectrum": {}}}, "expected spectrograms"),
        ({"first_step": 3, "batch_size": 1}, "one of the 3 batches of an epoch"),
    ],
)
def test_refuses_settings(folder, options, message):
    with pytest.raises(InputError, match=message):
        waveforms(folder, model(), **options)


def test_both_functions_take_the_sampling_settings_with_their_defaults():
    for function in (waveforms, spectrograms):
        parameters = inspect.signature(function).parameters
        for field in dataclasses.fields(Sampling):
            assert parameters[field.name].default == field.default, field.name


def test_refuses_data(folder):
    with pytest.raises(InputError, match="empty list of tracks"):
        waveforms([], model())
    with pytest.raises(InputError, match="has no stem 'piano'"):
        waveforms(folder, model(("piano",)))
    with pytest.raises(InputError, match="longer crops"):
        spectrograms(folder, model(), crop_seconds=0.01, batch_size=1)
    (track, *_) = find_tracks(folder)
    stem = track.stems["vocals"]
    surround = {"vocals": stem._replace(info=stem.info._replace(channels=6))}
    with pytest.raises(InputError, match="has 6 channels, the model 2"):
        waveforms([tracks.Track("a", surround)], model(("vocals",), 2))


def test_semitones_raise_pitch_and_tempo_of_a_recording_together(tmp_path):
    rate, tone = 16000, 440.0
    wave = np.sin(2 * np.pi * tone * np.arange(4 * rate) / rate, dtype="float32")[:, None] / 4
    for stem in ("vocals", "bass"):
        (tmp_path / "song").mkdir(exist_ok=True)
        audio.write(tmp_path / "song" / f"{stem}.wav", wave, rate)
    model = SimpleNamespace(sources=("vocals", "bass"), sample_rate=rate, channels=1)
    dataset = waveforms(
        tmp_path, model, batch_size=1, crop_seconds=1.0, crops_per_track=30, remix=0, semitones=2
    )
    heard = []
    for _, sources in dataset:
        spectrum = np.abs(np.fft.rfft(sources[0, :, 0].numpy(), axis=0, n=16 * rate))
        peaks = spectrum.argmax(axis=0) / 16
        assert peaks[0] == peaks[1]
        heard.append(12 * np.log2(peaks[0] / tone))
    np.testing.assert_allclose(heard, np.round(heard), atol=0.02)
    assert {round(shift) for shift in heard} == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize("build", [waveforms, spectrograms])
def test_a_batch_larger_than_an_epoch_is_reduced(folder, caplog, build):
    caplog.set_level("INFO", "kerasep")
    options = {"crop_seconds": 1.0, "crops_per_track": 1}
    received = collect(build(folder, model(), batch_size=16, **options))
    crops = len(list((folder).iterdir()))
    assert f"an epoch has {crops} crops: batches of {crops}, not 16" in caplog.messages
    expected = collect(build(folder, model(), batch_size=crops, **options))
    assert len(received) == 1
    assert same(received, expected)


def test_a_reduced_batch_has_equal_parts(folder):
    options = {"crop_seconds": 1.0, "crops_per_track": 1, "batch_size": 16}
    crops = len(list((folder).iterdir()))
    [(mixture, _)] = collect(waveforms(folder, model(), part=(1, 2), **options))
    assert len(mixture) == crops // 2


def test_a_validation_batch_keeps_its_size(folder, caplog):
    caplog.set_level("INFO", "kerasep")
    list(waveforms(folder, model(), batch_size=100, crop_seconds=1.0, training=False))
    assert not any("an epoch has" in message for message in caplog.messages)
