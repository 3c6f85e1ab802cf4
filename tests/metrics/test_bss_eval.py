"""BSS Eval version 4 against a projection by dense least squares, frame by frame."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

from kerasep import ops
from kerasep.errors import InputError
from kerasep.metrics import bss_eval, median_over_frames

RATE, TAPS = 100, 8


def delayed(signals, taps):
    """All delays `(samples + taps - 1, channels * taps)` of `(samples, channels)`, as a matrix."""
    columns = [scipy.linalg.convolution_matrix(channel, taps, mode="full") for channel in signals.T]
    return np.concatenate(columns, axis=1)


def decibels(signal, noise):
    return 10 * np.log10(np.sum(signal**2) / np.sum(noise**2))


def by_definition(reference, estimate, frames, taps, own, other):
    """The four ratios of one pair, in each frame."""
    sources = reference.shape[2]
    tail = np.zeros((taps - 1, reference.shape[1]))
    e = np.concatenate([estimate[..., other], tail])

    def filters(delays):
        return np.linalg.lstsq(delays, e, rcond=None)[0]

    together = [reference[..., j] for j in range(sources)]
    onto_all = filters(np.concatenate([delayed(s, taps) for s in together], axis=1))
    onto_own = filters(delayed(reference[..., own], taps))
    scores = []
    for start, stop in frames:
        part = reference[start:stop]
        s = np.concatenate([part[..., own], tail])
        e = np.concatenate([estimate[start:stop, :, other], tail])
        p = delayed(part[..., own], taps) @ onto_own
        each = [delayed(part[..., j], taps) for j in range(sources)]
        q = np.concatenate(each, axis=1) @ onto_all
        scores.append(
            [decibels(s, s - e), decibels(s, p - s), decibels(p, q - p), decibels(q, e - q)]
        )
    return np.array(scores)


def recording(rng, samples=400, channels=2, sources=3):
    levels = 10.0 ** (-np.arange(sources) / 4)
    reference = levels * rng.standard_normal((samples, channels, sources))
    echo = rng.standard_normal((20, 1, 1)) * np.exp(-np.arange(20) / 4)[:, None, None]
    filtered = scipy.signal.oaconvolve(reference, echo, mode="same", axes=0)
    leakage = 0.1 * reference.sum(axis=-1, keepdims=True)
    noise = 0.01 * rng.standard_normal(reference.shape)
    return reference, 0.8 * reference + 0.3 * filtered + leakage + noise


def check(received, reference, estimate, frames, taps, order):
    for own, other in enumerate(order):
        expected = by_definition(reference, estimate, frames, taps, own, other)
        for name, column in zip(("sdr", "isr", "sir", "sar"), expected.T, strict=True):
            np.testing.assert_allclose(received[name][:, own], column, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("sources", [2, 3])
@pytest.mark.parametrize("taps", [1, 2, 8])
def test_equals_the_definition(channels, sources, taps, rng):
    reference, estimate = recording(rng, 400, channels, sources)
    received = bss_eval(reference, estimate, RATE, filter_length=taps)
    frames = [(0, 100), (100, 200), (200, 300), (300, 400)]
    assert received["sdr"].shape == (4, sources)
    check(received, reference, estimate, frames, taps, range(sources))


@pytest.mark.parametrize(
    ("samples", "window", "hop", "frames"),
    [
        (399, 1.0, 1.0, [(0, 100), (100, 200), (200, 300)]),
        (400, 1.5, 0.75, [(0, 150), (75, 225), (150, 300), (225, 375)]),
        (400, None, 1.0, [(0, 400)]),
        (100, 1.0, 1.0, [(0, 100)]),
        (70, 1.0, 1.0, [(0, 70)]),
        (5, 1.0, 1.0, [(0, 5)]),
    ],
)
def test_frames(samples, window, hop, frames, rng):
    taps = 2 if samples == 5 else TAPS
    reference, estimate = recording(rng, samples, 1, 2)
    received = bss_eval(reference, estimate, RATE, window, hop, filter_length=taps)
    assert len(received["sar"]) == len(frames)
    check(received, reference, estimate, frames, taps, range(2))


def test_of_many_blocks(rng):
    """The recording is longer than the blocks that are filtered at once."""
    reference, estimate = recording(rng, 3000, 1, 2)
    received = bss_eval(reference, estimate, RATE, window=None, filter_length=TAPS)
    check(received, reference, estimate, [(0, 3000)], TAPS, range(2))


def test_sdr_of_one_frame_is_usdr(rng):
    reference, estimate = recording(rng)
    received = bss_eval(reference, estimate, RATE, window=None, filter_length=TAPS)["sdr"]
    np.testing.assert_allclose(received[0], ops.snr(reference, estimate, axis=(0, 1)), atol=1e-3)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_permutation(order, rng):
    reference, estimate = recording(rng)
    shuffled = np.empty_like(estimate)
    shuffled[..., list(order)] = estimate
    received = bss_eval(reference, shuffled, RATE, filter_length=TAPS, permute=True)
    assert received["permutation"].tolist() == list(order)
    sorted_out = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    assert sorted_out["permutation"].tolist() == [0, 1, 2]
    for name in ("sdr", "isr", "sir", "sar"):
        np.testing.assert_allclose(received[name], sorted_out[name], atol=1e-8)


def test_permutation_with_silent_frames(rng):
    reference, estimate = recording(rng)
    reference[100:200, :, 1] = 0
    received = bss_eval(reference, estimate[..., [2, 0, 1]], RATE, filter_length=TAPS, permute=True)
    assert received["permutation"].tolist() == [1, 2, 0]
    assert np.isnan(received["sdr"][1]).all()


@pytest.mark.parametrize("which", [0, 1])
def test_silent_frames(which, rng):
    signals = recording(rng)
    signals[which][110:300, :, 1] = 0
    signals[which][100:200, 1, 2] = 0  # one channel of two: no silence
    signals[which][300:, 1, 0] = -signals[which][300:, 0, 0]  # the sum of two: silence
    received = bss_eval(*signals, RATE, filter_length=TAPS)
    for name in ("sdr", "isr", "sir", "sar"):
        silent = np.isnan(received[name])
        np.testing.assert_array_equal(silent.all(axis=1), [False, False, True, True])
        assert not silent[:2].any()
    check(
        {name: scores[:2] for name, scores in received.items()},
        *signals,
        [(0, 100), (100, 200)],
        TAPS,
        range(3),
    )


def test_a_source_that_is_silent_throughout(rng):
    reference, estimate = recording(rng)
    reference[..., 1] = 0
    received = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    others = bss_eval(reference[..., [0, 2]], estimate[..., [0, 2]], RATE, filter_length=TAPS)
    for name in ("sdr", "isr", "sir", "sar"):
        np.testing.assert_allclose(received[name][:, [0, 2]], others[name], atol=1e-8)
        assert np.isnan(received[name][:, 1]).all()
    permuted = bss_eval(reference, estimate, RATE, filter_length=TAPS, permute=True)
    np.testing.assert_allclose(permuted["sir"], received["sir"], atol=1e-8)
    medians = median_over_frames(received)
    assert np.isnan(medians["sdr"][1])
    np.testing.assert_allclose(medians["sdr"][0], np.median(others["sdr"][:, 0]))


def test_an_estimate_that_is_silent_throughout(rng):
    """It has no score, but its source still interferes with the others."""
    reference, estimate = recording(rng)
    expected = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    estimate[..., 1] = 0
    received = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    np.testing.assert_allclose(received["sir"][:, [0, 2]], expected["sir"][:, [0, 2]], atol=1e-8)
    assert np.isnan(received["sir"][:, 1]).all()
    everything = bss_eval(reference, 0 * estimate, RATE, filter_length=TAPS, permute=True)
    assert np.isnan(everything["sdr"]).all()
    assert sorted(everything["permutation"]) == [0, 1, 2]


def test_channels_that_are_equal(rng):
    """A mono source in stereo has linearly dependent delays, but the same projections."""
    reference, estimate = recording(rng, 400, 2, 2)
    reference[:, 1, 0] = reference[:, 0, 0]
    received = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    check(received, reference, estimate, [(100 * t, 100 * t + 100) for t in range(4)], TAPS, [0, 1])


def test_sources_that_are_equal(rng):
    reference, estimate = recording(rng, 400, 1, 3)
    reference[..., 1] = reference[..., 0]
    received = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    frames = [(100 * t, 100 * t + 100) for t in range(4)]
    expected = by_definition(reference, estimate, frames, TAPS, 2, 2)
    np.testing.assert_allclose(received["sir"][:, 2], expected[:, 2], atol=1e-6)


@pytest.mark.parametrize("cutoff", [0.5, 0.1])
def test_music_without_treble(cutoff, rng):
    """Delays are nearly dependent without sound above a cutoff, as in lossy files."""
    reference, estimate = recording(rng, 2000, 2, 2)
    low = scipy.signal.butter(8, cutoff, output="sos")
    reference, estimate = (scipy.signal.sosfilt(low, x, axis=0) for x in (reference, estimate))
    reference += 1e-5 * rng.standard_normal(reference.shape)  # as little as 16 bits leave
    estimate += 1e-4 * rng.standard_normal(estimate.shape)
    received = bss_eval(reference, estimate, 500, filter_length=32)
    frames = [(500 * t, 500 * t + 500) for t in range(4)]
    for own in range(2):
        expected = by_definition(reference, estimate, frames, 32, own, own)
        for name, column in zip(("sdr", "isr", "sir", "sar"), expected.T, strict=True):
            np.testing.assert_allclose(received[name][:, own], column, atol=1e-3, err_msg=name)


@pytest.mark.parametrize("level", [1e-6, 1e4])
def test_level_does_not_matter(level, rng):
    reference, estimate = recording(rng)
    expected = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    received = bss_eval(level * reference, level * estimate, RATE, filter_length=TAPS)
    for name in ("sdr", "isr", "sir", "sar"):
        np.testing.assert_allclose(received[name], expected[name], atol=1e-6)


def test_a_perfect_estimate(rng):
    reference, _ = recording(rng)
    received = bss_eval(reference, reference, RATE, filter_length=TAPS)
    assert np.isposinf(received["sdr"]).all()
    assert all((received[name] > 150).all() for name in ("isr", "sir", "sar"))


@pytest.mark.parametrize("permute", [False, True])
@pytest.mark.parametrize(
    ("samples", "sound", "scored"),
    [
        (5, 5, False),
        (41, 41, False),  # 48 taps in all, for 41 samples and a tail of 7
        (42, 42, True),
        (400, 41, False),  # the rest is silence
        (400, 42, True),
    ],
)
def test_recordings_shorter_than_the_filters(samples, sound, scored, permute, rng):
    """With as many taps as samples, filters match every estimate."""
    reference, estimate = recording(rng, samples, 2, 3)
    reference[sound:] = estimate[sound:] = 0
    received = bss_eval(reference, estimate, RATE, window=None, filter_length=TAPS, permute=permute)
    values = [received[name] for name in ("sdr", "isr", "sir", "sar")]
    assert np.isfinite(values).all() if scored else np.isnan(values).all()
    assert np.nanmax([0, *np.ravel(values)]) < 60
    assert sorted(received["permutation"]) == [0, 1, 2]
    medians = median_over_frames(received)
    assert np.isnan(medians["sdr"]).all() == (not scored)


def test_short_sounds_far_apart(rng):
    """Clicks shorter than the filters, but many of them."""
    reference, estimate = np.zeros((2, 400, 1, 2))
    reference[::20] = rng.standard_normal((20, 1, 2))
    estimate[::20] = reference[::20] + 0.1 * rng.standard_normal((20, 1, 2))
    received = bss_eval(reference, estimate, RATE, filter_length=TAPS)
    frames = [(0, 100), (100, 200), (200, 300), (300, 400)]
    check(received, reference, estimate, frames, TAPS, range(2))


@pytest.mark.parametrize("samples", [380, 420])
def test_estimates_of_another_length(samples, rng):
    reference, estimate = recording(rng)
    other = np.zeros((420, 2, 3))
    other[:400] = estimate
    other[400:] = 1
    padded = np.concatenate([estimate[:380], np.zeros((20, 2, 3))])
    received = bss_eval(reference, other[:samples], RATE, filter_length=TAPS)
    expected = bss_eval(reference, padded if samples == 380 else estimate, RATE, filter_length=TAPS)
    np.testing.assert_array_equal(received["sar"], expected["sar"])


def test_integers_and_float32(rng):
    signals = [np.round(1000 * x).astype("int16") for x in recording(rng)]
    expected = bss_eval(*(x.astype("float64") for x in signals), RATE, filter_length=TAPS)
    for kind in ("int16", "float32"):
        received = bss_eval(*(x.astype(kind) for x in signals), RATE, filter_length=TAPS)
        np.testing.assert_allclose(received["sir"], expected["sir"], atol=1e-6)


GOOD = np.ones((50, 2, 3)) + np.arange(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bss_eval(GOOD, GOOD[..., :2], RATE), r"\(50, 2, 3\).*\(50, 2, 2\)"),
        (lambda: bss_eval(GOOD[..., 0], GOOD[..., 0], RATE), r"\(samples, channels, sources\)"),
        (lambda: bss_eval(GOOD[:0], GOOD, RATE), "expected at least one sample"),
        (lambda: bss_eval(GOOD, GOOD * np.nan, RATE), "not finite"),
        (lambda: bss_eval(GOOD, GOOD, RATE, filter_length=0), "filter_length=0"),
        (lambda: bss_eval(GOOD, GOOD, RATE, window=0), "window=0.*at least one sample"),
        (lambda: bss_eval(GOOD, GOOD, RATE, hop=0.001), "hop=0.001"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
