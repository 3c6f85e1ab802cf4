"""Songs of noise, and the folders prepared from them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from kerasep.data import prepare

RATE = 8000
STFT = {"n_fft": 256, "hop": 64, "window": "hann"}
STEMS = ("vocals", "drums", "bass")
MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=RATE, channels=2, stft=STFT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six songs of two seconds of 16-bit noise."""
    folder = tmp_path_factory.mktemp("data") / "songs"
    rng = np.random.default_rng(0)
    for number in range(6):
        (folder / f"song_{number}").mkdir(parents=True)
        for stem in STEMS:
            noise = rng.integers(-9000, 9000, (2 * RATE, 2)) / 32768
            soundfile.write(folder / f"song_{number}" / f"{stem}.wav", noise, RATE, "PCM_16")
    return folder


@pytest.fixture(scope="module")
def out(folder):
    """The songs as shards of int16, one for each; the first is held out."""
    prepare(folder, folder.parent / "int16", MODEL, shard_bytes=1)
    return folder.parent / "int16"


@pytest.fixture(scope="module")
def spectra(folder):
    """The songs as shards of spectrograms."""
    prepare(folder, folder.parent / "spectra", MODEL, format="spectrogram", shard_bytes=1)
    return folder.parent / "spectra"


@pytest.fixture
def copied(out, tmp_path):
    shutil.copytree(out, tmp_path / "copy")
    return tmp_path / "copy"
