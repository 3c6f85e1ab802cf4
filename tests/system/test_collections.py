"""The collector is as it was afterwards, also after an error and inside one another."""

import gc

import pytest

from kerasep.system.collections import no_collections


def test_it_pauses_and_goes_on():
    assert gc.isenabled()
    with no_collections():
        assert not gc.isenabled()
        with no_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_after_an_error():
    with pytest.raises(OSError, match="gone"), no_collections():
        raise OSError("gone")
    assert gc.isenabled()


def test_a_program_without_a_collector():
    gc.disable()
    try:
        with no_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
