"""BSS Eval against museval and mir_eval."""

import importlib.util
import sys
import types
import warnings

import numpy as np
import pytest
import scipy.signal

from kerasep.metrics import bss_eval

pytestmark = pytest.mark.parity

RATE = 8000
NAMES = ("sdr", "isr", "sir", "sar")


@pytest.fixture(scope="module")
def museval():
    """Its part that measures; the package's front loads what needs ffmpeg."""
    found = importlib.util.find_spec("museval")
    if found is None:
        pytest.skip("parity needs museval: pip install museval --no-deps")
    package = types.ModuleType("museval")
    package.__path__ = found.submodule_search_locations
    sys.modules.setdefault("museval", package)
    return importlib.import_module("museval.metrics")


@pytest.fixture(scope="module")
def separation():
    return pytest.importorskip(
        "mir_eval.separation", reason="parity needs mir_eval: pip install mir_eval"
    )


def recording(seconds, channels, sources, rate=RATE, seed=0):
    """Sources in overlapping bands, of unequal levels; filtered, leaking and noisy estimates."""
    random = np.random.default_rng(seed)
    shape = (round(seconds * rate), channels)
    reference = np.empty((*shape, sources))
    for j in range(sources):
        noise = random.standard_normal(shape)
        noise = noise[:, :1] + 0.3 * noise
        band = scipy.signal.firwin(129, [0.01 + 0.1 * j, 0.3 + 0.15 * j], pass_zero=False)
        voiced = scipy.signal.oaconvolve(noise, band[:, None], mode="same", axes=0)
        reference[..., j] = 10 ** (-j / 2) * voiced + 1e-3 * random.standard_normal(shape)
    echo = np.exp(-np.arange(64) / 8)[:, None, None] * random.standard_normal((64, 1, 1))
    filtered = scipy.signal.oaconvolve(reference, echo, mode="same", axes=0)
    leakage = reference.sum(axis=-1, keepdims=True)
    noise = random.standard_normal(reference.shape) * reference.std(axis=0)
    estimate = 0.8 * reference + 0.1 * filtered + 0.05 * leakage + 0.03 * noise
    return reference.astype("float32"), estimate.astype("float32")


def by_museval(museval, reference, estimate, rate=RATE, window=1.0, hop=1.0, **options):
    signals = [x.transpose(2, 0, 1) for x in (reference, estimate)]
    *scores, order = museval.bss_eval(*signals, window * rate, hop * rate, **options)
    return {
        **{name: s.T for name, s in zip(NAMES, scores, strict=True)},
        "permutation": order[:, 0],
    }


def check(received, expected, names=NAMES, atol=1e-3):
    for name in names:
        assert received[name].shape == expected[name].shape
        np.testing.assert_allclose(received[name], expected[name], rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize(
    ("channels", "sources"), [(2, 4), (1, 4), (1, 2), (2, 2), pytest.param(3, 2, id="surround")]
)
def test_museval(museval, channels, sources):
    signals = recording(3.3, channels, sources)
    check(bss_eval(*signals, RATE), by_museval(museval, *signals))


def test_museval_at_full_rate(museval):
    signals = recording(2.2, 2, 4, rate=44100)
    check(bss_eval(*signals, 44100), by_museval(museval, *signals, rate=44100))


@pytest.mark.parametrize(("window", "hop"), [(0.5, 0.5), (1.0, 0.25), (2.0, 1.5), (9.0, 9.0)])
def test_museval_other_frames(museval, window, hop):
    signals = recording(3.3, 2, 2)
    received = bss_eval(*signals, RATE, window, hop)
    check(received, by_museval(museval, *signals, window=window, hop=hop))


@pytest.mark.parametrize("which", [0, 1])
def test_museval_silent_frames(museval, which):
    signals = recording(4, 2, 3)
    signals[which][9000:17000, :, 1] = 0
    signals[which][24000:, :, 2] = 0
    signals[which][:8000, 1, 0] = -signals[which][:8000, 0, 0]  # silent when mixed down
    expected = by_museval(museval, *signals)
    assert np.isnan(expected["sdr"]).all(axis=1).tolist() == [True, False, False, True]
    check(bss_eval(*signals, RATE), expected)


def test_museval_permutation(museval):
    reference, estimate = recording(3, 2, 3)
    estimate = estimate[..., [2, 0, 1]]
    received = bss_eval(reference, estimate, RATE, permute=True)
    expected = by_museval(museval, reference, estimate, compute_permutation=True)
    np.testing.assert_array_equal(received["permutation"], expected["permutation"])
    check(received, expected)


@pytest.mark.parametrize("level", [1e-4, 300.0])
def test_museval_levels(museval, level):
    reference, estimate = (level * x for x in recording(2, 2, 2))
    check(bss_eval(reference, estimate, RATE), by_museval(museval, reference, estimate))


def test_museval_padding(museval):
    """What `museval.evaluate` does before it measures: zeros behind estimates that are short."""
    reference, estimate = recording(3, 2, 2)
    padded = estimate.copy()
    padded[20000:] = 0
    check(
        bss_eval(reference, estimate[:20000], RATE),
        by_museval(museval, reference, padded),
    )


def test_museval_without_treble(museval):
    """Stems cut off at 16 kHz of 44.1, with a floor at 16 bits, as those of MUSDB18 are."""
    random = np.random.default_rng(0)
    low = scipy.signal.butter(12, 16 / 22.05, output="sos")
    signals = []
    for x in recording(2.2, 2, 2, rate=44100):
        cut = scipy.signal.sosfilt(low, x, axis=0)
        signals.append(np.round((cut + random.uniform(-1, 1, x.shape) / 2**15) * 2**15) / 2**15)
    check(bss_eval(*signals, 44100), by_museval(museval, *signals, rate=44100))


def test_museval_images(museval):
    """One frame, with filters of its own."""
    reference, estimate = recording(2, 2, 3)
    estimate = estimate[..., [1, 2, 0]]
    signals = [x.transpose(2, 0, 1) for x in (reference, estimate)]
    *scores, order = museval.bss_eval_images(*signals)
    received = bss_eval(reference, estimate, RATE, window=None, permute=True)
    np.testing.assert_array_equal(received["permutation"], order[:, 0])
    expected = {name: s.T for name, s in zip(NAMES, scores, strict=True)}
    check(received, expected)


def test_mir_eval_images(separation):
    reference, estimate = recording(2, 2, 3)
    signals = [x.transpose(2, 0, 1) for x in (reference, estimate)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        *scores, _ = separation.bss_eval_images(*signals, compute_permutation=False)
    received = bss_eval(reference, estimate, RATE, window=None)
    check(received, {name: s[None] for name, s in zip(NAMES, scores, strict=True)})


def test_mir_eval_sources(separation):
    """Mono, where version 2 has the same projections: its SAR, and its SIR."""
    reference, estimate = recording(2, 1, 3)
    signals = [x[:, 0].T for x in (reference, estimate)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        _, sir, sar, _ = separation.bss_eval_sources(*signals, compute_permutation=False)
    received = bss_eval(reference, estimate, RATE, window=None)
    check(received, {"sir": sir[None], "sar": sar[None]}, ("sir", "sar"))
