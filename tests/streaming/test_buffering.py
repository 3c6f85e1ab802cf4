"""Blocks, steps and ends, without a model."""

import subprocess
import sys

import numpy as np
import pytest

from kerasep.streaming.buffering import LEFT, Buffer, Timing


def recorder(timing, channels=1):
    """A buffer whose steps give their input back `lag` samples late, and note what they got."""
    seen = []

    def run(block, state):
        seen.append((block[0], float(state[0, LEFT])))
        stream = np.concatenate([np.zeros((timing.lag, channels)), *(part for part, _ in seen)])
        done = sum(len(part) for part, _ in seen[:-1])
        sources = stream[done : done + block.shape[1], :, None]
        return sources[None], state - np.array([[0, block.shape[1] // timing.hop]])

    return Buffer(run, np.array([[0, 1e30]]), timing, channels, 1), seen


MIRROR = Timing(hop=4, frame=8, grain=4, step=16, lag=4, silence=0, ends="mirror")
FILL = Timing(hop=4, frame=8, grain=4, step=16, lag=4, silence=0, ends="fill")
DROP = Timing(hop=4, frame=8, grain=8, step=32, lag=12, silence=4, ends="drop")


@pytest.mark.parametrize("timing", [MIRROR, FILL, DROP])
@pytest.mark.parametrize("block", [1, 3, 100])
def test_every_sample_comes_out_once_and_in_time(timing, block):
    for samples in (5, 8, 40, 43):
        buffer, _ = recorder(timing)
        x = np.arange(1.0, samples + 1)[:, None]
        received = []
        for start in range(0, samples, block):
            received.extend(buffer.process(x[start : start + block])[:, 0, 0])
            assert len(received) >= min(start + block, samples) - timing.latency
        received.extend(buffer.flush()[:, 0, 0])
        np.testing.assert_array_equal(received, x[:, 0])


def test_both_ends_are_mirrored():
    buffer, seen = recorder(MIRROR)
    buffer.process(np.arange(10.0)[:, None])
    buffer.flush()
    stream = np.concatenate([part for part, _ in seen])[:, 0]
    np.testing.assert_array_equal(stream[:18], [4, 3, 2, 1, *range(10), 8, 7, 6, 5])


def test_steps_are_told_how_many_frames_are_left():
    buffer, seen = recorder(FILL)
    buffer.process(np.ones((9, 1)))  # frames start at 0 and 4
    assert [left for _, left in seen] == [1e30, 1e30]
    buffer.flush()
    assert [left for _, left in seen[2:]] == [0, -1]
    assert [FILL.frames(samples) for samples in (1, 8, 9, 12, 13)] == [1, 1, 2, 2, 3]
    assert [DROP.frames(samples) for samples in (1, 8, 11, 12, 15)] == [1, 1, 1, 2, 2]
    assert [MIRROR.frames(samples) for samples in (5, 8, 11, 12)] == [2, 3, 3, 4]


def test_silence_comes_first():
    buffer, seen = recorder(DROP)
    buffer.process(np.ones((4, 1)))
    np.testing.assert_array_equal(seen[0][0][:, 0], [0, 0, 0, 0, 1, 1, 1, 1])


def test_large_steps_are_taken_where_there_is_enough():
    buffer, seen = recorder(FILL)
    buffer.process(np.ones((41, 1)))
    assert [len(part) for part, _ in seen] == [16, 16, 4, 4]


def test_it_needs_numpy_alone():
    script = (
        "import sys, kerasep.streaming.buffering; "
        "assert not {'keras', 'tensorflow', 'ai_edge_litert'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
