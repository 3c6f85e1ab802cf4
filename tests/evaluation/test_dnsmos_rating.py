"""DNSMOS from files of weights, real ones where they are at hand."""

import os
import pathlib

import keras
import numpy as np
import pytest

from kerasep import data, evaluation
from kerasep.errors import InputError
from kerasep.evaluation import dnsmos_rating
from kerasep.evaluation.dnsmos_rating import build, dnsmos, network
from tests.importers import onnx_writer

WEIGHTS = pathlib.Path(os.environ.get("KERASEP_WEIGHTS", "no-weights"))
# By speechmos 0.0.1.1: speech, background, overall.
RATINGS = {
    "ul_unas/audio/noisy/0119.wav": (1.3132, 1.1445, 1.1957),
    "ul_unas/audio/clean/0119.wav": (3.6561, 4.1766, 3.4539),
    "gtcrn/stream/test_wavs/enh.wav": (3.3947, 3.9945, 3.0899),
}


@pytest.fixture
def linear(monkeypatch):
    """A network that returns the first, the last and the number of samples of a segment."""
    lengths = []

    def model(segments):
        (segment,) = segments
        lengths.append(len(segment))
        return keras.ops.convert_to_tensor([[segment[0], segment[-1], len(segment) / 144160]])

    monkeypatch.setattr(dnsmos_rating, "network", lambda weights=None: model)
    return lengths


def rating(name, value):
    return np.polyval(dnsmos_rating._POLYNOMIALS[name], value)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [(144160, [0]), (160000, [0]), (176000, [0, 1]), (100000, [0, 1, 2])],
)
def test_segments_are_one_second_apart_and_short_recordings_repeated(linear, samples, starts):
    ramp = np.linspace(0, 1, samples, dtype="float32")
    received = dnsmos(ramp[:, None], 16000)
    repeated = np.tile(ramp, 1 if samples >= 144160 else 2)
    first = [rating("dnsmos_sig", repeated[16000 * start]) for start in starts]
    last = [rating("dnsmos_bak", repeated[16000 * start + 144159]) for start in starts]
    assert received["dnsmos_sig"] == pytest.approx(np.mean(first), abs=1e-6)
    assert received["dnsmos_bak"] == pytest.approx(np.mean(last), abs=1e-6)
    assert received["dnsmos_ovrl"] == pytest.approx(rating("dnsmos_ovrl", 1), abs=1e-6)
    assert linear == [144160] * len(starts)


def test_segments_that_the_original_leaves_out(linear):
    dnsmos(np.zeros((16000 * 40, 1), "float32"), 16000)
    assert len(linear) == 31 - 17


def test_other_rates_and_channels(linear):
    high, low = np.full((2, 144160 * 3), [[0.5], [-0.5]], "float32")
    received = dnsmos(np.stack([high, low], axis=-1), 48000)
    expected = np.mean([rating("dnsmos_sig", 0.5), rating("dnsmos_sig", -0.5)])
    assert received["dnsmos_sig"] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("shape", [(16000,), (0, 1)])
def test_waveforms_that_are_refused(shape):
    with pytest.raises(InputError, match=r"expected \(samples, channels\) with samples"):
        dnsmos(np.zeros(shape), 16000)


def state(rng):
    slots = [*dnsmos_rating._slots(build())]
    return {
        name: rng.standard_normal(shape).astype("f4")
        for slot in slots
        for name, shape in zip(slot.names, slot.shapes, strict=True)
    }


def test_weights_are_those_of_the_file(tmp_path, rng):
    arrays = state(rng) | {"shape": np.array([-1, 900]), "log10": np.float32(2.3).reshape(())}
    model = network(str(onnx_writer.write(tmp_path / "a.onnx", arrays=arrays)))
    assert model.count_params() == 287_267  # as in the original
    for layer, name in (
        ("stft-imag", "time2freq/stft-imag/kernel:0"),
        ("conv2d_3", "conv2d_3/kernel:0"),
    ):
        kernel = keras.ops.convert_to_numpy(model.get_layer(layer).kernel)
        theirs = arrays[name]
        axes = (1, 0, 2) if theirs.ndim == 3 else (2, 3, 1, 0)
        np.testing.assert_array_equal(kernel, theirs.transpose(axes).reshape(kernel.shape))
    del arrays["conv2d_4/bias:0"]
    path = onnx_writer.write(tmp_path / "b.onnx", arrays=arrays)
    with pytest.raises(InputError, match=r"1 missing \(conv2d_4/bias:0\).*sig_bak_ovr"):
        network(str(path))


def test_the_network_is_downloaded_once_and_before_anything_else(monkeypatch, songs):
    network.cache_clear()

    def offline(url, sha256, size):
        assert url.endswith("/DNSMOS/DNSMOS/sig_bak_ovr.onnx")
        assert (len(sha256), size) == (64, 1157965)
        raise InputError("cannot download it")

    monkeypatch.setattr(dnsmos_rating, "fetch", offline)
    with pytest.raises(InputError, match="cannot download it"):
        evaluation.evaluate(None, songs, measures=["dnsmos"])


def test_evaluate_by_dnsmos(linear, songs):
    class Half:
        sources, sample_rate, channels = ("vocals",), 8000, 1

        def separate(self, mixture):
            return {"vocals": mixture / 2}

    tracks = data.find_tracks(songs)[:1]
    (row,) = evaluation.evaluate(Half(), tracks, measures=["dnsmos_bak", "snr"], oracles=False)
    keys = ["dnsmos_bak", "dnsmos_bak_improvement", "snr", "snr_improvement"]
    assert list(row) == ["track", "source", *keys]
    mixture, _ = tracks[0].read(("vocals",), 8000, 1)
    ours, before = (dnsmos(x, 8000)["dnsmos_bak"] for x in (mixture / 2, mixture))
    assert row["dnsmos_bak"] == pytest.approx(ours)
    assert row["dnsmos_bak_improvement"] == pytest.approx(ours - before)


@pytest.mark.slow
@pytest.mark.parametrize("clip", RATINGS)
def test_real_recordings(clip):
    if not WEIGHTS.is_dir():
        pytest.skip("no weights: set KERASEP_WEIGHTS to their folder")
    waveform, sample_rate = data.read(WEIGHTS / clip)
    received = dnsmos(waveform, sample_rate, WEIGHTS / "dnsmos" / "sig_bak_ovr.onnx")
    assert list(received.values()) == pytest.approx(RATINGS[clip], abs=1e-3)
