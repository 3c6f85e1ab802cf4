import numpy as np
import pytest

from kerasep.separation.chunking import Ends
from kerasep.separation.extension import extended

ENDS = Ends(4, lambda head: head[2:0:-1], lambda tail, samples: tail[-2:-4:-1] + samples)


def run(signal, size):
    """What remains of the results of a process, and what it hears."""
    heard = []

    def double(blocks):
        for block in blocks:
            heard.append(block)
            yield 2 * block

    blocks = [signal[start : start + size] for start in range(0, len(signal), size)]
    return list(extended(blocks, ENDS, double)), heard


@pytest.mark.parametrize("size", [1, 2, 3, 6, 100])
def test_both_ends(size):
    signal = np.arange(10)
    results, heard = run(signal, size)
    assert np.array_equal(np.concatenate(results), 2 * signal)
    assert np.concatenate(heard).tolist() == [2, 1, *range(10), 18, 17]


def test_a_process_that_lags_behind_hears_the_end():
    def lagging(blocks):
        whole = np.concatenate(list(blocks))
        assert whole.tolist() == [2, 1, *range(10), 18, 17]
        yield whole[:5]
        yield whole[5:]

    results = list(extended([np.arange(6), np.arange(6, 10)], ENDS, lagging))
    assert [part.tolist() for part in results] == [[0, 1, 2], [*range(3, 10)]]


@pytest.mark.parametrize("samples", [0, 1, 4])
def test_short_signals_are_left_alone(samples):
    signal = np.arange(samples)
    results, heard = run(signal, 3)
    assert np.array_equal(np.concatenate([*results, []]), 2 * signal)
    assert sum(map(len, heard)) == samples
