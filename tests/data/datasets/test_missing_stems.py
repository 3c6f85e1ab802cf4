"""Tracks that lack a source: counted as silence, left out, or an error."""

import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest

import kerasep
from kerasep import data, evaluation, training
from kerasep.data.datasets.missing_stems import with_sources
from kerasep.errors import InputError

SOURCES = ("vocals", "bass")
MODEL = SimpleNamespace(
    sources=SOURCES, sample_rate=8000, channels=1, stft={"n_fft": 256, "hop": 64, "window": "hann"}
)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Four songs of which the second lacks the vocals."""
    folder = tmp_path_factory.mktemp("data") / "songs"
    data.write_songs(folder, 4, seconds=1.0, sample_rate=8000)
    (folder / "song_0001" / "vocals.flac").unlink()
    return folder


def names(tracks):
    return [track.name for track in tracks]


def test_refused_by_default_naming_the_first(songs):
    message = "track 'song_0001' has no stem 'vocals', it has bass"
    for call in (
        lambda: data.find_tracks(songs, SOURCES),
        lambda: data.find_tracks(songs, SOURCES, missing="refuse"),
        lambda: data.waveforms(songs, MODEL, batch_size=2, crop_seconds=0.5),
        lambda: data.prepare(songs, songs.parent / "shards", MODEL),
        lambda: evaluation.evaluate(SimpleNamespace(**vars(MODEL)), songs),
        lambda: training.split(songs, None, SOURCES),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_skipped_with_a_line_that_counts(songs, caplog):
    caplog.set_level(logging.WARNING, "kerasep")
    tracks = data.find_tracks(songs, SOURCES, missing="skip")
    assert names(tracks) == ["song_0000", "song_0002", "song_0003"]
    assert "1 of 4 tracks lack a stem (vocals in 1): they are left out" in caplog.text


def test_silence(songs, caplog):
    caplog.set_level(logging.WARNING, "kerasep")
    tracks = data.find_tracks(songs, SOURCES, missing="silent")
    assert "1 of 4 tracks lack a stem (vocals in 1): it counts as silence" in caplog.text
    assert [track.silent for track in tracks] == [(), ("vocals",), (), ()]
    mixture, stems = tracks[1].read(SOURCES, 8000, 1)
    assert not stems[..., 0].any()
    assert stems[..., 1].any()
    everything, _ = tracks[1].read(("bass",), 8000, 1)
    np.testing.assert_array_equal(mixture, everything)
    # A second look changes nothing.
    assert with_sources(tracks, SOURCES) == tracks


def test_without_vocals_all_is_accompaniment(songs):
    track = data.find_tracks(songs, ("vocals", "accompaniment"), missing="silent")[1]
    mixture, stems = track.read(("vocals", "accompaniment"), 8000, 1)
    np.testing.assert_array_equal(stems[..., 1], mixture)


@pytest.mark.parametrize("missing", ["silent", "skip"])
def test_a_source_that_no_track_has(songs, missing):
    with pytest.raises(InputError, match="none of 4 tracks has a stem 'kazoo', the first has bass"):
        data.find_tracks(songs, ("kazoo",), missing=missing)


def test_no_track_left(songs):
    tracks = data.find_tracks(songs)
    for track in tracks:
        if track.name != "song_0001":
            del track.stems["bass"]
    with pytest.raises(InputError, match="none of 4 tracks has all of vocals, bass"):
        with_sources(tracks, SOURCES, "skip")


def test_an_unknown_way(songs):
    for call in (
        lambda: data.find_tracks(songs, SOURCES, missing="ignore"),
        lambda: data.spectrograms(songs, MODEL, crop_seconds=0.5, missing="ignore"),
        lambda: evaluation.evaluate(MODEL, songs, missing="ignore"),
    ):
        with pytest.raises(InputError, match="missing='ignore', expected one of silent, skip, ref"):
            call()


def test_batches(songs):
    options = {"batch_size": 1, "crop_seconds": 1.0, "training": False}
    whole = data.waveforms(songs, MODEL, missing="silent", **options)
    sounding = [bool(sources[0, :, 0, 0].numpy().any()) for _, sources in whole]
    assert sounding == [True, False, True, True]
    assert len(list(data.waveforms(songs, MODEL, missing="skip", **options))) == 3
    # Loud places are looked for among what sounds alone.
    drawn = data.spectrograms(
        songs, MODEL, missing="silent", batch_size=4, crop_seconds=0.5, min_level=-60.0, remix=0
    )
    for magnitude, reference in drawn:
        assert np.isfinite(magnitude).all()
        assert np.isfinite(reference).all()


@pytest.mark.parametrize(
    ("missing", "count"), [("silent", 4), pytest.param("skip", 3, marks=pytest.mark.slow)]
)
def test_prepared(songs, tmp_path, missing, count):
    index = data.prepare(songs, tmp_path / "shards", MODEL, missing=missing)
    assert index["snr_db"] > 60
    plan = json.loads((tmp_path / "shards" / "plan.json").read_text("utf-8"))
    assert len(plan["tracks"]) == count
    options = {"batch_size": 1, "crop_seconds": 1.0}
    held, train = (
        [bool(sources[0, :, 0, 0].numpy().any()) for _, sources in data.waveforms(
            tmp_path / "shards", MODEL, training=training, remix=0, crops_per_track=1, **options
        )]
        for training in (False, True)
    )  # fmt: skip
    assert sum(held + train) == 3
    assert len(held + train) == count


def test_scores(songs):
    model = SimpleNamespace(
        **vars(MODEL), separate=lambda mixture: {"vocals": 0.6 * mixture, "bass": 0.4 * mixture}
    )
    measures = ("si_sdr", "usdr", "bss_eval")
    rows = evaluation.evaluate(model, songs, measures=measures, missing="silent")
    assert len(rows) == 8
    for row in rows:
        silent = (row["track"], row["source"]) == ("song_0001", "vocals")
        scores = [value for key, value in row.items() if key not in ("track", "source")]
        assert all(score is None for score in scores) if silent else None not in scores
    summary = evaluation.summarise(rows)
    sounding = [row["si_sdr"] for row in rows if row["source"] == "vocals" and row["si_sdr"]]
    assert summary[0]["si_sdr"] == pytest.approx(np.median(sounding))
    rows = evaluation.evaluate(model, songs, measures=("si_sdr",), missing="skip")
    assert sorted({row["track"] for row in rows}) == ["song_0000", "song_0002", "song_0003"]


@pytest.mark.parametrize(("missing", "tracks"), [("silent", (3, 1)), ("skip", (2, 1))])
def test_splits(songs, missing, tracks):
    assert tuple(map(len, training.split(songs, None, SOURCES, missing))) == tracks


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["silent", "skip"])
def test_training(songs, tmp_path, missing):
    model = kerasep.zoo.load(
        "open_unmix_like/small", sources=SOURCES, sample_rate=8000, n_fft=256, hop=64, hidden=4,
        max_hz=3000,
    )  # fmt: skip
    settings = {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 2, "missing": missing}
    recipe = {"epochs": 1, "data": settings}
    (row,) = training.train(model, songs, tmp_path / "run", recipe=recipe)
    assert np.isfinite(row["loss"])
    assert np.isfinite(row["val_loss"])
