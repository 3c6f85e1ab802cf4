"""Folders are listed once for all layouts, and anew by the next call."""

import os

from kerasep.data import find_pool
from kerasep.data.datasets.layouts.once import once, unchanged
from kerasep.data.sampling.plans import chosen


def test_a_function_runs_once_within_the_context():
    calls = []
    double = once(lambda number: calls.append(number) or 2 * number)
    with unchanged():
        assert [double(1), double(1), double(2)] == [2, 2, 4]
        with unchanged():
            assert double(1) == 2
        assert double(1) == 2
        assert calls == [1, 2]
    assert [double(1), double(1)] == [2, 2]
    assert calls == [1, 2, 1, 1]


def test_folders_are_listed_once_per_call(tmp_path, record, monkeypatch):
    record("words/theo/1.wav", "words/theo/2.wav", "words/lucas/1.wav", "words/lucas/2.wav")
    listed, look = [], os.scandir

    def counted(path):
        listed.append(os.path.basename(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", counted)
    assert len(chosen(str(tmp_path / "words"), training=True).groups["theo"]) == 2
    assert sorted(listed) == ["lucas", "theo", "words"]
    record("words/theo/3.wav")
    assert len(find_pool(tmp_path / "words").groups["theo"]) == 3
