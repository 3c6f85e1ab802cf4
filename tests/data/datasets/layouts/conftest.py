"""Small recordings, as trees of files."""

import os

import numpy as np
import pytest

from kerasep.data import audio


@pytest.fixture
def record(tmp_path):
    """Function that writes files of noise, given by their paths below `tmp_path`."""

    def write(*names, channels=1, seconds=0.05):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(list(os.fsencode(name)))
            samples = rng.uniform(-0.3, 0.3, (round(8000 * seconds), channels)).astype("float32")
            audio.write(path, samples, 8000)

    return write
