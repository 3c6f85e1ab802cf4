"""Scores of a model on tracks."""

import keras
import numpy as np
import pytest

from kerasep import data, evaluation
from kerasep.errors import InputError
from kerasep.evaluation.score_tables import LIMIT
from kerasep.metrics import BSS_EVAL, bss_eval, median_over_frames, scores
from kerasep.models import OpenUnmixLike
from kerasep.separation import Separator, separate

SMALL = {
    "sample_rate": 8000,
    "channels": 1,
    "n_fft": 512,
    "hop": 128,
    "hidden": 8,
    "lstm_layers": 1,
    "max_hz": 3000,
}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return OpenUnmixLike(["vocals", "drums"], **SMALL)


@pytest.fixture(scope="module")
def rows(model, songs):
    return evaluation.evaluate(model, songs)


def test_one_row_a_track_and_source(rows, songs):
    names = [track.name for track in data.find_tracks(songs)]
    expected = [(name, source) for name in names for source in ("vocals", "drums")]
    assert [(row["track"], row["source"]) for row in rows] == expected
    keys = ["track", "source", "si_sdr", "si_sdr_improvement", "usdr", "usdr_improvement"]
    keys += [f"{oracle}_{m}" for oracle in ("ibm", "irm", "tpsa") for m in ("si_sdr", "usdr")]
    assert all(list(row) == keys for row in rows)
    assert all(np.isfinite(list(row.values())[2:]).all() for row in rows)


def test_a_data_set_with_test_tracks_is_scored_on_them(model, tmp_path):
    for split in ("train", "test"):
        data.write_songs(tmp_path / split, 1, seconds=0.5, sample_rate=8000)
    rows = evaluation.evaluate(model, tmp_path, measures=["snr"], oracles=False)
    assert {row["track"] for row in rows} == {"test/song_0000"}


def test_improvement_is_over_the_mixture(rows, model, songs):
    track = data.find_tracks(songs)[0]
    mixture, stems = track.read(model.sources, 8000, 1)
    for index, row in enumerate(rows[:2]):
        before = scores(stems[..., index], mixture)
        for measure in ("si_sdr", "usdr"):
            improvement = row[measure] - before[measure]
            assert row[f"{measure}_improvement"] == pytest.approx(improvement, abs=1e-4)


def test_every_measure(model, songs):
    tracks = data.find_tracks(songs)[:1]
    rows = evaluation.evaluate(model, tracks, measures=["snr", "bss_eval"], oracles=False)
    keys = ["track", "source", "snr", "snr_improvement", "bss_sdr", "bss_sdr_improvement"]
    keys += ["bss_isr", "bss_sir", "bss_sir_improvement", "bss_sar"]
    assert all(list(row) == keys for row in rows)

    mixture, stems = tracks[0].read(model.sources, 8000, 1)
    estimates = separate(model, mixture)
    estimates = np.stack([estimates[name] for name in model.sources], axis=-1)
    # The songs hold bass and other as well, which are one source more.
    stems, estimates, unseparated = (
        np.concatenate([x, (mixture - x.sum(axis=-1))[..., None]], axis=-1)
        for x in (stems, estimates, np.repeat(mixture[..., None], 2, axis=-1))
    )
    own, before = (median_over_frames(bss_eval(stems, x, 8000)) for x in (estimates, unseparated))
    for index, row in enumerate(rows):
        for name in ("sdr", "isr", "sir", "sar"):
            assert row[f"bss_{name}"] == pytest.approx(own[name][index], abs=1e-2)
        for name in ("sdr", "sir"):
            improvement = own[name][index] - before[name][index]
            assert row[f"bss_{name}_improvement"] == pytest.approx(improvement, abs=1e-2)


def test_oracles_by_bss_eval(model, songs):
    (row, _) = evaluation.evaluate(model, data.find_tracks(songs)[:1], measures=["bss_eval"])
    assert list(row)[-4:] == ["tpsa_bss_sdr", "tpsa_bss_isr", "tpsa_bss_sir", "tpsa_bss_sar"]
    assert row["tpsa_bss_sdr"] > row["bss_sdr"]
    assert row["ibm_bss_sir"] > row["bss_sir"]


def test_measures_that_are_refused(model, songs):
    with pytest.raises(InputError, match="received the measures sdr, expected some of"):
        evaluation.evaluate(model, songs, measures=["sdr"])


def test_the_mixture_itself_improves_nothing(songs):
    model = OpenUnmixLike(["vocals"], **SMALL)
    model.get_layer("vocals_output").scale.assign(np.zeros(257))  # a mask of ones
    for row in evaluation.evaluate(model, songs, oracles=False):
        assert abs(row["si_sdr_improvement"]) < 1e-2
        assert abs(row["usdr_improvement"]) < 1e-2


def test_oracles_are_in_their_order(rows):
    """A mask of phase comes nearest, one of zeros and ones is the coarsest."""
    mean = {
        oracle: np.mean([row[f"{oracle}_usdr"] for row in rows])
        for oracle in ("ibm", "irm", "tpsa")
    }
    assert mean["tpsa"] > mean["irm"] - 0.1
    assert mean["tpsa"] > mean["ibm"]
    assert all(row["tpsa_si_sdr"] > row["si_sdr"] for row in rows)


def test_a_silent_source_has_no_score(model, tmp_path):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (4000, 1))
    (tmp_path / "track").mkdir()
    data.write(tmp_path / "track" / "vocals.wav", noise, 8000)
    data.write(tmp_path / "track" / "drums.wav", 0 * noise, 8000)
    vocals, drums = evaluation.evaluate(model, tmp_path, measures=["si_sdr", "usdr", *BSS_EVAL])
    assert set(list(drums.values())[2:]) == {None}
    assert vocals.keys() == drums.keys()
    # The mixture is the vocals: there is nothing to improve. Nothing interferes: SIR is infinite.
    improvements = {key for key in vocals if key.endswith("_improvement")}
    assert improvements == {key for key, value in vocals.items() if value is None}
    assert len(improvements) == 4
    assert vocals["bss_sir"] == LIMIT


def test_a_separator_and_its_settings(model, songs):
    tracks = data.find_tracks(songs)[:1]
    shares = []
    separator = Separator(model, wiener_iterations=1)
    one = evaluation.evaluate(separator, tracks, oracles=False, progress=shares.append)
    other = evaluation.evaluate(model, tracks, oracles=False, wiener_iterations=1)
    assert one == other
    assert shares == [1.0]


def test_sources_that_make_up_the_mixture_are_scored_as_they_are_separated(tmp_path):
    data.write_songs(
        tmp_path, 1, seconds=1.0, sample_rate=8000, sources=("vocals", "accompaniment")
    )
    keras.utils.set_random_seed(0)
    whole = OpenUnmixLike(["vocals", "accompaniment"], **SMALL)
    settings = {"measures": ["snr"], "oracles": False}
    rows = evaluation.evaluate(whole, tmp_path, **settings)
    assert rows == evaluation.evaluate(Separator(whole, consistent=True), tmp_path, **settings)
    # The estimates add up, and so one source's error is the other's.
    (track,) = data.find_tracks(tmp_path)
    _, stems = track.read(whole.sources, 8000, 1)
    energies = 10 * np.log10(np.square(stems).sum(axis=(0, 1)))
    vocals, rest = (row["snr"] for row in rows)
    assert vocals - rest == pytest.approx(energies[0] - energies[1], abs=1e-3)
    loose = evaluation.evaluate(whole, tmp_path, consistent=False, **settings)
    assert loose[0]["snr"] != pytest.approx(vocals, abs=1e-3)


def test_anything_with_a_separate_of_its_own(songs):
    class Half:
        sources, sample_rate, channels = ("vocals",), 8000, 1

        def separate(self, mixture):
            return {"vocals": mixture / 2}

    (row,) = evaluation.evaluate(Half(), data.find_tracks(songs)[:1])
    assert row["si_sdr_improvement"] == pytest.approx(0, abs=1e-3)
    assert row["usdr_improvement"] != pytest.approx(0, abs=1e-3)


def recorded(folder, **stems):
    for name, waveform in stems.items():
        (folder / "track").mkdir(exist_ok=True)
        data.write(folder / "track" / f"{name}.wav", waveform, 8000)


class Fixed:
    """Gives the same estimates whatever it hears."""

    sources, sample_rate, channels = ("vocals", "drums"), 8000, 1

    def __init__(self, *waveforms):
        self.waveforms = waveforms

    def separate(self, mixture):
        return dict(zip(self.sources, self.waveforms, strict=True))


EVERY_MEASURE = ["si_sdr", "si_snr", "sd_sdr", "snr", "usdr", *BSS_EVAL]


def noises(rng, samples, count=2):
    # Stored as they are in files of 16 bits.
    return [rng.integers(-9000, 9000, (samples, 1)).astype("float32") / 32768 for _ in range(count)]


def test_no_score_is_infinite(tmp_path, rng):
    """Neither of perfect estimates nor of silent ones; a table holds numbers or nothing."""
    vocals, drums = noises(rng, 8000)
    recorded(tmp_path, vocals=vocals, drums=drums)
    kinds = {"perfect": (vocals, drums), "silent": (0 * vocals, 0 * drums)}
    kinds["one silent"] = (vocals, 0 * drums)
    for kind, estimates in kinds.items():
        rows = evaluation.evaluate(
            Fixed(*estimates), tmp_path, measures=EVERY_MEASURE, oracles=False
        )
        rows += evaluation.summarise(rows)
        for row in rows:
            values = [value for value in list(row.values())[2:] if value is not None]
            assert np.isfinite(values).all(), kind
            assert np.abs(values).max() <= LIMIT, kind
        if kind == "perfect":
            assert [row["bss_sdr"] for row in rows] == [LIMIT] * 4
            assert min(row["usdr"] for row in rows) > 80
        if kind == "silent":
            assert {row[name] for row in rows for name in BSS_EVAL} == {None}
        evaluation.write_csv(rows, tmp_path / "scores.csv")
        written = (tmp_path / "scores.csv").read_text()
        assert "nan" not in written
        assert "inf" not in written


def test_tracks_shorter_than_the_filters(tmp_path, rng):
    vocals, drums = noises(rng, 400)
    recorded(tmp_path, vocals=vocals, drums=drums)
    rows = evaluation.evaluate(
        Fixed(0.5 * vocals, 0.5 * drums), tmp_path, measures=EVERY_MEASURE, oracles=False
    )
    assert {value for row in rows for key, value in row.items() if "bss" in key} == {None}
    assert all(row["snr"] == pytest.approx(6.02, abs=0.01) for row in rows)


def test_tracks_that_are_refused(songs, tmp_path):
    model = OpenUnmixLike(["kazoo"], **SMALL)
    with pytest.raises(InputError, match="no stem 'kazoo'"):
        evaluation.evaluate(model, songs)
    with pytest.raises(InputError, match="has no track"):
        evaluation.evaluate(model, tmp_path)
