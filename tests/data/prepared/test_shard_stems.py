"""Batches from prepared shards: those of the recordings, to the bit, and whole."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from kerasep.data import audio, find_tracks, prepare, prepared, spectrograms, waveforms
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError

RATE = 8000
STFT = {"n_fft": 256, "hop": 64, "window": "hann"}
STEMS = ("vocals", "drums", "bass")


def model(sources=("vocals", "bass"), channels=2, sample_rate=RATE, stft=STFT):
    return SimpleNamespace(sources=sources, sample_rate=sample_rate, channels=channels, stft=stft)


def collect(dataset):
    return [tuple(value.numpy() for value in batch) for batch in dataset]


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b)
        for x, y in zip(first, second, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_names_that_are_not_utf_8(folder, tmp_path):
    """Folders' and tracks' names pass through TensorFlow's graph and files of JSON."""
    songs, out = tmp_path / "caf\udce9", tmp_path / "out\udcff\x1b[31m"
    shutil.copytree(folder, songs)
    (songs / "song_3").rename(songs / "song_3\udce9\n")
    index = prepare(songs, out, model())
    assert "song_3\udce9\n" in [s["track"] for e in index["train"]["shards"] for s in e["segments"]]
    json.loads((out / "index.json").read_text("utf-8"))
    options = {"batch_size": 2, "crop_seconds": 0.5}
    batches = collect(waveforms(out, model(), **options))
    assert len(batches) == 10
    assert all(np.isfinite(value).all() and value.any() for batch in batches for value in batch)
    for path in out.glob("*.tfrecord"):
        path.write_bytes(path.read_bytes()[:100])
    unreadable = r"no track left to train on.*out\\+xff\\+x1b\[31m/.* is damaged"
    with pytest.raises(InputError, match=unreadable), input_errors():
        collect(waveforms(out, model(), **options))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("format", ["int16", "spectrogram"])
def test_outputs_are_those_of_the_recordings(folder, out, spectra, format, training):
    options = {"batch_size": 2, "crop_seconds": 0.5, "training": training}
    prepared_folder = spectra if format == "spectrogram" else out
    read = spectrograms(prepared_folder, model(), **options)
    assert read.element_spec == spectrograms(folder, model(), **options).element_spec
    assert read.cardinality() == (10 if training else 2)
    (batch,) = read.take(1)
    assert all(map(tf.TensorSpec.is_compatible_with, read.element_spec, batch))
    assert all(np.isfinite(value).all() for value in batch)


def test_float16_keeps_the_quietest_samples(tmp_path):
    quiet = np.random.default_rng(0).uniform(-1e-6, 1e-6, (RATE, 1)).astype("float32")
    (tmp_path / "songs" / "song").mkdir(parents=True)
    audio.write(tmp_path / "songs" / "song" / "vocals.wav", quiet, RATE)
    mono = model(("vocals",), channels=1)
    prepare(tmp_path / "songs", tmp_path / "out", mono, format="float16")
    options = {"batch_size": 1, "crop_seconds": 1.0, "gain": None}
    ((mixture, _),) = collect(waveforms(tmp_path / "out", mono, **options))
    np.testing.assert_array_equal(mixture[0], quiet.astype("float16").astype("float32"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"remix": 1.0, "semitones": 2, "seed": 5},
        {"snr": (-5, 5), "min_sources": 1, "min_level": -20.0, "level": -25.0},
        {"augment": {"add_noise": {}, "change_pitch": {"share": 0.5}}},
        {"crops_per_track": 3, "first_epoch": 1, "first_step": 1},
    ],
    ids=lambda options: "-".join(options),
)
def test_every_setting_gives_what_it_gives_from_the_recordings(folder, out, options):
    """Shards differ from recordings in how samples are fetched alone: same seed, same bits."""
    options = {"batch_size": 5, "crop_seconds": 0.5} | options
    live = collect(waveforms(find_tracks(folder)[1:], model(), **options))
    assert same(collect(waveforms(out, model(), **options)), live)
    assert len(live) > 1


def test_every_setting_that_spectrograms_can_take(spectra):
    options = {"batch_size": 5, "crop_seconds": 0.5, "remix": 1.0}
    both = {"snr": (6, 6), "gain": (0.5, 1.0), "min_sources": 1}
    for _, reference in collect(spectrograms(spectra, model(), **options, **both)):
        vocals, bass = np.square(reference[..., 1:, :]).sum(axis=(1, 2, 3, 5)).T
        heard = np.minimum(vocals, bass) > 0
        ratio = 10 * np.log10(vocals[heard] / bass[heard])
        np.testing.assert_allclose(ratio, 6, atol=0.01)
    plain = collect(spectrograms(spectra, model(), **options))
    masked = {"mask_spectrum": {"times": 1, "frames": 20, "bands": 0}}
    for (x, _), (y, reference) in zip(
        plain, collect(spectrograms(spectra, model(), augment=masked, **options)), strict=True
    ):
        assert not reference[y == 0].any()
        assert (y == 0).mean() > (x == 0).mean()
        np.testing.assert_array_equal(y[y > 0], x[y > 0])
    for refused in ({"semitones": 2}, {"min_level": -50.0}, {"augment": {"add_noise": {}}}):
        with pytest.raises(InputError, match="which holds spectrograms: that needs waveforms"):
            spectrograms(spectra, model(), **options, **refused)
    with pytest.raises(InputError, match=r"holds spectrograms.* call spectrograms\(\)"):
        waveforms(spectra, model(), **options)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_validation_is_what_was_recorded(folder, tmp_path, channels):
    """Every sample of 16-bit files comes back as it was, with the crops in order."""
    import soundfile

    if channels == 3:
        shutil.copytree(folder, tmp_path / "songs")
        folder = tmp_path / "songs"
        for path in folder.rglob("*.wav"):
            noise, rate = soundfile.read(path)
            soundfile.write(path, noise[:, [0, 1, 1]], rate, "PCM_16")
    wanted = model(channels=channels)
    prepare(folder, tmp_path / "out", wanted)
    options = {"batch_size": 3, "crop_seconds": 0.9, "training": False}
    read = collect(waveforms(tmp_path / "out", wanted, **options))
    live = collect(waveforms(find_tracks(folder)[:1], wanted, **options))
    assert [len(mixture) for mixture, _ in read] == [3]
    for (mixture, sources), (expected, stems) in zip(read, live, strict=True):
        np.testing.assert_allclose(mixture, expected, atol=1e-6 if channels == 2 else 5e-5)
        np.testing.assert_allclose(sources, stems, atol=0 if channels == 2 else 2e-5)


def test_validation_spectra_differ_at_the_edges_of_crops_alone(folder, spectra):
    """There, shards hold what was recorded beside the crop, not the crop's mirror image."""
    options = {"batch_size": 1, "crop_seconds": 1.0, "training": False}
    read = collect(spectrograms(spectra, model(), **options))
    live = collect(spectrograms(find_tracks(folder)[:1], model(), **options))
    magnitude, reference = read[0]
    np.testing.assert_allclose(magnitude[:, :-2], live[0][0][:, :-2], atol=0.03)
    np.testing.assert_allclose(reference[:, :-2], live[0][1][:, :-2], atol=0.03)
    assert np.abs(reference[:, -2:] - live[0][1][:, -2:]).max() > 0.1


def test_hops_above_half_a_frame(folder, tmp_path):
    hop = 192
    wide = model(stft={**STFT, "hop": hop})
    prepare(folder, tmp_path, wide, format="spectrogram")
    options = {"batch_size": 1, "crop_seconds": 2.0, "training": False}
    ((magnitude, reference),) = collect(spectrograms(tmp_path, wide, **options))
    ((expected, live),) = collect(spectrograms(find_tracks(folder)[:1], wide, **options))
    assert len(magnitude[0]) == 1 + -(-2 * RATE // hop)
    np.testing.assert_allclose(magnitude, expected, atol=0.03)
    np.testing.assert_allclose(reference, live, atol=0.03)


def test_crops_as_recorded_are_found_in_their_track(folder, out):
    options = {"batch_size": 5, "crop_seconds": 0.25, "remix": 0.0, "gain": None, "swap": False}
    tracks = find_tracks(folder)[1:]
    whole = [track.read(("vocals", "bass"), RATE, 2) for track in tracks]
    heard = []
    for mixture, sources in collect(waveforms(out, model(), **options)):
        np.testing.assert_allclose(mixture.shape, (5, 2000, 2))
        for one, stems in zip(mixture, sources, strict=True):
            for number, (song, parts) in enumerate(whole):
                places = np.flatnonzero((parts[:, :, 0] == stems[0, :, 0]).all(axis=1))
                for start in places:
                    if np.array_equal(parts[start : start + 2000], stems):
                        np.testing.assert_allclose(song[start : start + 2000], one, atol=1e-6)
                        heard.append((number, start))
    assert len(heard) == len(set(heard)) == 40
    assert [sum(number == track for number, _ in heard) for track in range(5)] == [8] * 5
    assert max(start for _, start in heard) > 13000


def test_mixed_across_tracks_scaled_and_swapped(folder, out):
    options = {"batch_size": 40, "crop_seconds": 0.25, "seed": 1}
    ((_, plain),) = collect(waveforms(out, model(), remix=0, gain=None, swap=False, **options))
    ((_, mixed),) = collect(waveforms(out, model(), remix=1, gain=None, swap=False, **options))
    np.testing.assert_array_equal(mixed[..., 0], plain[..., 0])
    assert (mixed[..., 1] != plain[..., 1]).any(axis=(1, 2)).mean() > 0.7
    ((_, loud),) = collect(waveforms(out, model(), remix=0, gain=(2, 3), swap=False, **options))
    factors = loud[:, 0, 0] / plain[:, 0, 0]
    assert factors.min() > 2 - 1e-4
    assert factors.max() < 3 + 1e-4
    assert factors.std() > 0.2
    np.testing.assert_allclose(loud, plain * factors[:, None, None], atol=1e-5)
    ((mixture, swapped),) = collect(waveforms(out, model(), remix=0, gain=None, **options))
    turned = (swapped == plain[:, :, ::-1]).all(axis=(1, 2))
    np.testing.assert_array_equal(turned, ~(swapped == plain).all(axis=(1, 2)))
    assert 0.2 < turned.mean() < 0.8
    # The drums, which are no source, are in the mixture and are swapped on their own.
    assert np.abs(mixture - swapped.sum(axis=-1)).max() > 0.05


def test_epochs_are_reproducible_and_resumable(out):
    options = {"batch_size": 4, "crop_seconds": 0.5, "seed": 3}
    dataset = waveforms(out, model(), **options)
    first, second, third = (collect(dataset) for _ in range(3))
    assert not same(first, second)
    assert same(first, collect(waveforms(out, model(), **options)))
    within = waveforms(out, model(), first_epoch=1, first_step=2, **options)
    assert same(second[2:], collect(within))
    assert same(third, collect(within))
    assert not same(first, collect(waveforms(out, model(), **{**options, "seed": 4})))


def test_crops_per_track(out):
    dataset = waveforms(out, model(), batch_size=5, crop_seconds=0.5, crops_per_track=3)
    assert len(collect(dataset)) == 3


def test_tracks_shorter_than_a_crop_are_filled_with_silence(out):
    for mixture, _ in collect(waveforms(out, model(), batch_size=5, crop_seconds=3.0)):
        assert mixture[:, : 2 * RATE].any()
        assert not mixture[:, 2 * RATE :].any()


def test_fewer_sources_and_the_accompaniment(folder, tmp_path):
    every = model(("vocals", "drums", "bass"))
    prepare(folder, tmp_path, every)
    options = {"batch_size": 4, "crop_seconds": 0.5, "training": False}
    whole = collect(waveforms(tmp_path, every, **options))
    for sources, expected in (
        (("bass",), whole[0][1][..., 2:]),
        (("vocals", "accompaniment"), None),
    ):
        ((mixture, found),) = collect(waveforms(tmp_path, model(sources), **options))
        np.testing.assert_allclose(mixture, whole[0][0], atol=1e-6)
        if expected is None:
            np.testing.assert_allclose(found.sum(axis=-1), mixture, atol=1e-6)
        else:
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_statistics_are_those_of_a_pass_over_the_training_tracks(folder, out):
    from kerasep.layers import Whitening
    from kerasep.models import OpenUnmixLike

    tracks = find_tracks(folder)[1:]
    live = spectrograms(tracks, model(), batch_size=1, crop_seconds=2.0, training=False)
    kept = prepared.statistics(out, model())
    layers = [Whitening(), Whitening()]
    for layer, data in zip(layers, (live, kept), strict=True):
        layer.adapt(data)
    np.testing.assert_allclose(layers[0].mean, layers[1].mean, rtol=1e-4)
    np.testing.assert_allclose(layers[0].deviation, layers[1].deviation, rtol=1e-4)
    networks = [OpenUnmixLike(("vocals",), RATE, 2, 256, 64, hidden=2) for _ in range(2)]
    for network, data in zip(networks, (live, kept), strict=True):
        network.adapt(data)
    ours, theirs = (network.get_layer("vocals_input") for network in networks)
    np.testing.assert_allclose(ours.shift, theirs.shift, rtol=1e-4)
    np.testing.assert_allclose(ours.scale, theirs.scale, rtol=1e-4)
    assert prepared.statistics(out, model(stft={**STFT, "hop": 128})) is None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (model(("vocals", "drums")), "was prepared with vocals, bass, the model's sources are"),
        (model(sample_rate=16000), "was prepared with sample_rate 8000, the model has 16000"),
        (model(channels=1), "was prepared with channels 2, the model has 1"),
    ],
)
def test_refuses_another_model(out, other, message):
    with pytest.raises(InputError, match=message):
        waveforms(out, other, batch_size=2, crop_seconds=0.5)


def test_refuses_another_transform(spectra):
    other = model(stft={**STFT, "hop": 128})
    with pytest.raises(InputError, match=r"holds spectrograms of .* prepare it for this model"):
        spectrograms(spectra, other, batch_size=2, crop_seconds=0.5)
    with pytest.raises(InputError, match=r"holds spectrograms, expected waveforms"):
        waveforms(spectra, model(stft=None), batch_size=2, crop_seconds=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_sources": 3}, "the model has 2 sources"),
        ({"reader": "tensorflow-io"}, "shards are read by kerasep alone"),
        ({"split": "train"}, "was decided when it was prepared"),
        ({"augment": {"mask_spectrum": {}}}, "expected spectrograms"),
        ({"remix": 2}, "expected a probability"),
        ({"gain": (2, 1)}, "expected a probability"),
        ({"first_step": 10}, "expected one of the 10 batches"),
    ],
)
def test_refuses_settings(out, options, message):
    with pytest.raises(InputError, match=message):
        waveforms(out, model(), **{"batch_size": 2, "crop_seconds": 0.5, **options})


def test_refuses_to_validate_without_tracks_for_it(folder, tmp_path):
    prepare(folder, tmp_path, model(), valid=[])
    with pytest.raises(InputError, match="an epoch has 0 crops"):
        waveforms(tmp_path, model(), batch_size=2, crop_seconds=0.5, training=False)
    assert not prepared.holds_validation(tmp_path)


def test_audio_is_not_needed_any_more(folder, tmp_path):
    songs = tmp_path / "songs"
    shutil.copytree(folder, songs)
    prepare(songs, tmp_path / "out", model())
    shutil.rmtree(songs)
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    assert len(collect(waveforms(tmp_path / "elsewhere", model(), batch_size=5, crop_seconds=2)))


def test_a_batch_larger_than_an_epoch_is_reduced(out, caplog):
    caplog.set_level("INFO", "kerasep")
    options = {"crop_seconds": 0.5, "crops_per_track": 1}
    [(mixture, _)] = waveforms(out, model(), batch_size=99, **options).take(1)
    crops = len(mixture)
    assert f"an epoch has {crops} crops: batches of {crops}, not 99" in caplog.messages
    [(expected, _)] = waveforms(out, model(), batch_size=crops, **options).take(1)
    np.testing.assert_array_equal(mixture, expected)
