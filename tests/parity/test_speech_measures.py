"""DNSMOS against speechmos, PESQ and STOI against the packages that compute them."""

import os
import pathlib
import sys
import types

import numpy as np
import pytest

from kerasep import data
from kerasep.evaluation import dnsmos, dnsmos_rating
from kerasep.metrics import speech_scores

pytestmark = pytest.mark.parity
CLIPS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))


@pytest.fixture(scope="module")
def speechmos():
    """Its module for DNSMOS, without the network of P.808 that needs librosa."""
    pytest.importorskip("onnxruntime", reason="parity needs ONNX Runtime: pip install onnxruntime")
    sys.modules.setdefault("librosa", types.ModuleType("librosa"))
    reason = "parity needs speechmos: pip install speechmos --no-deps"
    module = pytest.importorskip("speechmos.dnsmos", reason=reason)
    module.DNSMOS.audio_melspec = lambda self, audio: np.zeros((900, 120))
    return module


def clips(rng):
    """Voices with noise where they are at hand, and noise that comes and goes."""
    for path in sorted(CLIPS.glob("*/audio/noisy/*.wav")) + sorted(CLIPS.glob("*/*/*/mix.wav")):
        yield data.read(path)[0][:, 0]
    for samples in (80000, 11 * 16000):
        level = 0.1 + 0.1 * np.sin(np.arange(samples) / 3000)
        yield (level * rng.standard_normal(samples)).clip(-1, 1).astype("float32")


def test_dnsmos(speechmos, rng):
    folder = pathlib.Path(speechmos.__file__).parent
    weights = folder / "dnsmos_models" / "sig_bak_ovr.onnx"
    for clip in clips(rng):
        theirs = speechmos.run(clip, 16000)
        ours = dnsmos(clip[:, None], 16000, weights)
        for name, value in ours.items():
            key = name.removeprefix("dnsmos_") + "_mos"
            assert value == pytest.approx(float(theirs[key]), abs=1e-3)


@pytest.mark.parametrize("seconds", [0.3, 4.4, 9.01, 10.9, 16.5, 26.0, 130.0])
def test_dnsmos_segments(speechmos, monkeypatch, rng, seconds):
    """Both with a function in place of the network: the segments of recordings of any length."""

    class Session:
        def run(self, outputs, inputs):
            (segment,) = inputs["input_1"]
            return [[[segment[0], segment[-1], segment.mean()]]]

    original = speechmos.DNSMOS.__new__(speechmos.DNSMOS)
    original.onnx_sess = original.p808_onnx_sess = Session()
    original.audio_melspec = lambda audio: audio[None]
    monkeypatch.setattr(
        dnsmos_rating,
        "network",
        lambda weights: lambda segments: np.array(Session().run(None, {"input_1": segments})[0]),
    )
    noise = rng.uniform(-1, 1, round(16000 * seconds)).astype("float32")
    theirs = original(noise, 16000, False)
    for name, value in dnsmos(noise[:, None], 16000).items():
        assert value == pytest.approx(theirs[name.removeprefix("dnsmos_") + "_mos"], abs=1e-6)


def test_pesq_and_stoi(rng):
    pesq = pytest.importorskip("pesq", reason="parity needs pesq: pip install pesq")
    pystoi = pytest.importorskip("pystoi", reason="parity needs pystoi: pip install pystoi")
    song = data.song(3, seconds=3.0, sample_rate=16000)
    clean = song["vocals"][:, 0]
    noisy = clean + 0.05 * rng.standard_normal(len(clean)).astype("float32")
    ours = speech_scores(clean[:, None], noisy[:, None], 16000, ["pesq_wb", "stoi", "estoi"])
    assert ours["pesq_wb"] == pesq.pesq(16000, clean, noisy, "wb")
    assert ours["stoi"] == pystoi.stoi(clean, noisy, 16000)
    # The package adds noise of the size of rounding errors.
    extended = pystoi.stoi(clean, noisy, 16000, extended=True)
    assert ours["estoi"] == pytest.approx(extended, abs=1e-9)
    assert 1 < ours["pesq_wb"] < 4.64
    assert 0 < ours["estoi"] < ours["stoi"] < 1
