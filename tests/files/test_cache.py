"""Where downloads and indices are kept."""

import pathlib

from kerasep.files.cache import cache_folder


def test_the_cache_folder_can_be_chosen(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setenv("KERASEP_CACHE", "/models")
    assert cache_folder() == pathlib.Path("/models")
    monkeypatch.delenv("KERASEP_CACHE")
    assert cache_folder() == pathlib.Path("/caches/kerasep")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == pathlib.Path.home() / ".cache" / "kerasep"
