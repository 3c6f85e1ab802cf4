"""WSJ0-mix, LibriMix and WHAM: mixtures beside their sources."""

import pytest

from kerasep.data import find_tracks
from kerasep.data.datasets.layouts.mixture_trees import mixture_trees
from kerasep.errors import InputError


def test_wsj0_2mix(tmp_path, record):
    base = "2speakers/wav8k/min"
    for split in ("tr", "cv", "tt"):
        for part in ("mix", "s1", "s2"):
            record(f"{base}/{split}/{part}/01aa_{split}_1.wav")
    tracks = find_tracks(tmp_path, ("speaker_1", "speaker_2"))
    assert [(track.name, track.split) for track in tracks] == [
        ("01aa_cv_1", "valid"),
        ("01aa_tr_1", "train"),
        ("01aa_tt_1", "test"),
    ]
    assert [track.name for track in find_tracks(tmp_path / base, split="train")] == ["01aa_tr_1"]
    (alone,) = mixture_trees(tmp_path / base / "tr").tracks
    assert alone.mixture.path == tmp_path / base / "tr/mix/01aa_tr_1.wav"


def test_libri_mix(tmp_path, record):
    for split in ("train-100", "train-360", "dev", "test"):
        for part in ("mix_clean", "mix_both", "s1", "s2", "noise"):
            record(f"Libri2Mix/wav16k/max/{split}/{part}/{split}_1-2.wav")
    tracks = mixture_trees(tmp_path / "Libri2Mix").tracks
    assert sorted(track.split for track in tracks) == ["test", "train", "train", "valid"]
    for track in tracks:
        assert track.stems.keys() == {"speaker_1", "speaker_2", "noise"}
        assert track.mixture.path.parent.name == "mix_both"


@pytest.mark.parametrize(
    ("mixtures", "sources"),
    [
        ((), ["noise", "speaker_1", "speaker_2"]),
        (("mix",), ["noise", "speaker_1", "speaker_2"]),
        (("mix_clean",), ["speaker_1", "speaker_2"]),
        (("mix_clean", "mix_single"), ["speaker_1", "speaker_2"]),
        (("mix_single",), ["noise", "speaker_1"]),
        (("mix_single", "mix_clean", "mix_both"), ["noise", "speaker_1", "speaker_2"]),
    ],
)
def test_the_noise_belongs_where_the_mixture_has_it(tmp_path, record, mixtures, sources):
    record(*(f"cv/{part}/a.wav" for part in (*mixtures, "s1", "s2", "noise")))
    (track,) = mixture_trees(tmp_path).tracks
    assert sorted(track.stems) == sources
    assert (track.mixture is None) == (not mixtures)


def test_mixtures_without_a_source_are_left_out(tmp_path, record, caplog):
    record("tr/mix/a.wav", "tr/s1/a.wav", "tr/s2/a.wav", "tr/s1/b.wav")
    assert [track.name for track in find_tracks(tmp_path)] == ["a"]
    assert "b.wav: there is no file of that name for speaker_2" in caplog.text


def test_several_versions_are_not_mixed_up(tmp_path, record):
    for version in ("min", "max"):
        record(*(f"wav8k/{version}/tr/{part}/a.wav" for part in ("mix", "s1", "s2")))
    with pytest.raises(InputError, match=r"in several versions: choose .*wav8k/max, .*wav8k/min$"):
        find_tracks(tmp_path)
    assert len(find_tracks(tmp_path / "wav8k" / "min")) == 1


def test_tracks_that_are_called_like_speakers(tmp_path, record):
    record(*(f"s{number}/{stem}.wav" for number in (0, 1, 2) for stem in ("vocals", "bass")))
    assert mixture_trees(tmp_path) is None
    assert [track.name for track in find_tracks(tmp_path, ("vocals",))] == ["s0", "s1", "s2"]
