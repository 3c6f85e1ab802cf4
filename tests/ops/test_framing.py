"""Framing and overlap-add against loops."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError

SIZES = pytest.mark.parametrize(
    ("samples", "frame_length", "hop"),
    [(20, 8, 4), (21, 8, 4), (23, 8, 3), (20, 8, 8), (8, 8, 4), (9, 7, 2), (20, 4, 6)],
)


@SIZES
def test_frames(rng, samples, frame_length, hop):
    signal = rng.standard_normal((2, 3, samples)).astype("float32")
    starts = range(0, samples - frame_length + 1, hop)
    expected = np.stack([signal[..., s : s + frame_length] for s in starts], axis=-2)
    np.testing.assert_array_equal(convert_to_numpy(ops.frame(signal, frame_length, hop)), expected)


@SIZES
def test_overlap_add(rng, samples, frame_length, hop):
    count = 1 + (samples - frame_length) // hop
    frames = rng.standard_normal((2, 3, count, frame_length)).astype("float32")
    expected = np.zeros((2, 3, (count - 1) * hop + frame_length), "float32")
    for index in range(count):
        expected[..., index * hop : index * hop + frame_length] += frames[..., index, :]
    received = convert_to_numpy(ops.overlap_add(frames, hop))
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_a_signal_shorter_than_a_frame():
    with pytest.raises(InputError, match=r"7 samples.*one frame of 8"):
        ops.frame(np.zeros((1, 7)), 8, 4)
