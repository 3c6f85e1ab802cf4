"""BSS Eval version 4: SDR, ISR, SIR and SAR of multichannel source images per frame."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.optimize

from kerasep.errors import InputError
from kerasep.system.types import Tensor

RATIOS = ("sdr", "isr", "sir", "sar")
BLOCKS = 7  # processed at once: few, to stay in the cache, and not a power of two, which is slow


def bss_eval(
    reference: Tensor,
    estimate: Tensor,
    sample_rate: float,
    window: float | None = 1.0,
    hop: float = 1.0,
    filter_length: int = 512,
    permute: bool = False,
) -> dict[str, np.ndarray]:
    """Score the estimates of all sources of a recording by BSS Eval version 4.

    Each estimate `e` is decomposed by two least-squares projections, `p = P_own e` onto delayed
    copies of its own reference `s`, and `q = P_all e` onto delayed copies of all references. The
    filters of both are computed once for the whole recording. The ratios are computed per frame:

        SDR = |s|^2 / |s - e|^2          ISR = |s|^2 / |p - s|^2
        SIR = |p|^2 / |q - p|^2          SAR = |q|^2 / |e - q|^2

    over all channels together, in dB. So SDR is `kerasep.ops.snr` of the frame, and uSDR is the
    same ratio of the whole recording. The scores equal those of museval, with two exceptions. A
    source that is always silent gets NaN without affecting the others, and silent frames do not
    prevent the search for the permutation. If the sound is not longer than the filters of all
    channels of all sources together, every estimate would be perfect. All scores are then NaN.

    Args:
        reference: true waveforms `(samples, channels, sources)`.
        estimate: estimates, which are cropped or padded with zeros to the length of the reference.
        sample_rate: in Hz.
        window: length of a frame in seconds, or None for the whole recording at once, as in version
            3. Samples after the last whole frame are ignored. Defaults to 1.
        hop: seconds from frame to frame. Defaults to 1.
        filter_length: number of taps of the filters. Defaults to 512.
        permute: whether to reorder the estimates for the highest mean SIR. Defaults to False.

    Returns:
        Dict with "sdr", "isr", "sir" and "sar", arrays `(frames, sources)` in dB, and "permutation"
        `(sources,)`, the index of the estimate of each source. NaN means that there is no score. A
        frame is NaN for all sources if any source or estimate is silent in it, that is, if its
        channels sum to zero in every sample. Ratios are infinite if their denominator is exactly
        zero, such as the SDR of an estimate that equals its reference.

    Raises:
        InputError: if the shapes do not match, samples are not finite, or settings are out of
            range.

    Example:
    >>> import numpy as np
    >>> s = np.random.default_rng(0).standard_normal((16000, 2, 3))
    >>> scores = bss_eval(s, s + 0.1, sample_rate=8000, filter_length=32)
    >>> np.median(scores["sdr"], axis=0).round()
    array([20., 20., 20.])

    Reference:
        Stöter, Liutkus and Ito 2018, "The 2018 Signal Separation Evaluation Campaign"; Vincent et
        al. 2012, "The Signal Separation Evaluation Campaign (2007-2010)".
    """
    reference, estimate = _checked(reference, estimate, filter_length)
    frames = _frames(reference.shape[-1], sample_rate, window, hop)
    true_sounds, estimated_sounds = _sounds(reference), _sounds(estimate)
    heard, estimated = (np.flatnonzero(x.any(axis=1)) for x in (true_sounds, estimated_sounds))
    if permute:
        true, other = heard, np.tile(estimated, (len(heard), 1))
    else:
        true = estimated = np.intersect1d(heard, estimated)
        other = true[:, None]
    sources = len(reference)
    scores = np.full((len(RATIOS), len(frames), sources, sources), np.nan)
    if other.size and _determined(reference[heard], estimate[estimated], filter_length):
        if len(heard) < sources or len(estimated) < sources:  # a copy, which is large
            reference, estimate = reference[heard], estimate[estimated]
        sounds = np.concatenate([true_sounds[heard], estimated_sounds[estimated]])
        scored = [sounds[:, start:stop].any(axis=1).all() for start, stop in frames]
        pairs = np.searchsorted(heard, true), np.searchsorted(estimated, other)
        scores[:, :, true[:, None], other] = _scores_of_pairs(
            reference, estimate, *pairs, frames, scored, filter_length
        )
    order = _best_order(scores[RATIOS.index("sir")]) if permute else np.arange(sources)
    chosen = scores[:, :, np.arange(len(order)), order]
    return {**dict(zip(RATIOS, chosen, strict=True)), "permutation": order}


def median_over_frames(scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Compute the median over frames of the scores of `bss_eval`, as evaluation campaigns do.

    Args:
        scores: the result of `bss_eval`.

    Returns:
        Dict from "sdr", "isr", "sir" and "sar" to arrays `(sources,)`, the median over frames that
        have a score. Sources without any score get NaN.

    Example:
    >>> import numpy as np
    >>> one = np.array([[1.0], [np.nan], [4.0]])
    >>> median_over_frames({"sdr": one, "isr": one, "sir": one, "sar": one})["sdr"]
    array([2.5])
    """
    medians = {}
    for name in RATIOS:
        scored = [frames[~np.isnan(frames)] for frames in scores[name].T]
        medians[name] = np.array([np.median(x) if len(x) else np.nan for x in scored])
    return medians


def _scores_of_pairs(reference, estimate, true, other, frames, scored, taps):
    """Compute scores `(4, frames, *other.shape)` of `true[i]` with estimates `other[i, k]`."""
    filters = _projections(reference, estimate, true, other, taps)
    scores = np.full((len(RATIOS), len(frames), *other.shape), np.nan)

    def energies(t):
        parts = [signals[..., slice(*frames[t])] for signals in (reference, estimate)]
        return _energies(*parts, true, other, filters, taps)

    scored = np.flatnonzero(scored)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for t, parts in zip(scored, threads.map(energies, scored), strict=True):
            scores[:, t] = _ratios(*parts)
    return scores


def _projections(reference, estimate, true, other, taps):
    """Compute spectra `(bins, outputs, inputs)` of filters onto all, then onto own references."""
    within, across = _correlations(reference, estimate, taps)
    channels, rows = reference.shape[1], reference.shape[0] * reference.shape[1]
    onto_all = _least_squares(
        within.reshape(1, taps, rows, rows), across.reshape(1, taps, rows, -1)
    )
    targets = [across[:, j][:, :, k] for j, k in zip(true, other, strict=True)]
    onto_own = _least_squares(
        np.stack([within[:, j, :, j] for j in true]),
        np.stack(targets).reshape(len(true), taps, channels, -1),
    )
    filters = [onto_all[0]]
    for j, alone in zip(true, onto_own, strict=True):
        filters.append(np.zeros((taps, rows, alone.shape[-1])))
        filters[-1][:, j * channels : (j + 1) * channels] = alone
    spectra = _rfft(np.concatenate(filters, axis=2), _block_size(taps))
    return np.ascontiguousarray(_transpose(spectra))


def _correlations(reference, estimate, taps):
    """Compute correlations `sum_n x[n] y[n + lag]` of references with both signals."""
    # The beginning of each block is correlated with the whole block, so that no lag wraps around.
    size = _block_size(taps)
    hop = size - taps + 1
    inputs = reference.shape[0] * reference.shape[1]

    def spectrum(start):
        blocks = _blocks(reference, estimate, start, size, hop)
        beginning, whole = _rfft(blocks[:hop, :inputs], size), _rfft(blocks, size)
        return beginning.conj() @ whole.transpose(0, 2, 1)

    starts = range(0, reference.shape[-1], BLOCKS * hop)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        total = sum(threads.map(spectrum, starts))
    result = _irfft(total, size)[:taps]
    result = result.reshape(taps, *reference.shape[:2], -1, reference.shape[1])
    return np.split(result, [len(reference)], axis=3)


def _least_squares(within, across):
    """Return the filters nearest to the targets, `(problems, taps, inputs, targets)`."""
    try:
        return _solve_by_schur(within, across)
    except np.linalg.LinAlgError:
        return np.stack([*map(_solve_by_pivots, within, across)])


def _solve_by_schur(within, across):
    """Solve by Schur's algorithm in its stable (mixed) form."""
    # The matrix of correlations, with rows by tap and then by input, is block-Toeplitz. Each block
    # row of its triangular factor follows from the previous one by a hyperbolic rotation. This
    # takes `taps^2 inputs^3` steps instead of Cholesky's `taps^3 inputs^3`.
    problems, taps, inputs, targets = across.shape
    left = across.reshape(problems, -1, targets)
    lower = np.linalg.cholesky(within[:, 0])
    a = np.linalg.solve(lower, _transpose(within.reshape(problems, -1, inputs)))
    b = a[..., inputs:]
    factor, halfway = [], []
    for tap in range(taps):
        if tap:
            a = a[..., :-inputs]
            k = np.linalg.solve(_transpose(a[..., :inputs]), _transpose(b[..., :inputs]))
            c = np.linalg.cholesky(np.eye(inputs) - k @ _transpose(k))
            d = np.linalg.cholesky(np.eye(inputs) - _transpose(k) @ k)
            a = np.linalg.inv(c) @ (a - k @ b)
            b = _transpose(d) @ b - np.linalg.solve(d, _transpose(k) @ c) @ a
            b = b[..., inputs:]
        factor.append(a)
        halfway.append(np.linalg.solve(_transpose(a[..., :inputs]), left[:, :inputs]))
        left = left[:, inputs:] - _transpose(a[..., inputs:]) @ halfway[-1]
    solved = np.empty((problems, taps * inputs, targets))
    for tap in reversed(range(taps)):
        end = (tap + 1) * inputs
        a, wanted = factor[tap], halfway[tap] - factor[tap][..., inputs:] @ solved[:, end:]
        solved[:, end - inputs : end] = np.linalg.solve(a[..., :inputs], wanted)
    return solved.reshape(across.shape)


def _solve_by_pivots(within, across):
    """Solve for independent inputs, such as one of two equal channels; others get zeros."""
    taps, inputs, targets = across.shape
    gram = np.empty((taps, inputs, taps, inputs))
    for i, j in np.ndindex(inputs, inputs):
        gram[:, i, :, j] = scipy.linalg.toeplitz(within[:, i, j], within[:, j, i])
    gram = gram.reshape(taps * inputs, taps * inputs)
    factor, pivots, rank, _ = scipy.linalg.lapack.dpstrf(gram, lower=True)
    chosen = pivots[:rank] - 1
    wanted = across.reshape(taps * inputs, targets)
    solved = np.zeros_like(wanted)
    solved[chosen] = scipy.linalg.cho_solve((factor[:rank, :rank], True), wanted[chosen])
    return solved.reshape(across.shape)


def _energies(reference, estimate, true, other, filters, taps):
    """Compute the energies in one frame of s, s - e, p, p - s, q, q - p, e - q."""
    size = _block_size(taps)
    hop = size - taps + 1
    inputs = reference.shape[0] * reference.shape[1]
    energies = np.zeros((7, *other.shape))
    for start in range(1 - taps, reference.shape[-1], BLOCKS * hop):
        blocks = _blocks(reference, estimate, start, size, hop)
        filtered = _irfft(filters @ _rfft(blocks[:, :inputs], size), size)
        shape = (size, -1, reference.shape[1], blocks.shape[-1])
        known, projected = (x.reshape(shape)[taps - 1 :] for x in (blocks, filtered))
        for place, (i, k) in enumerate(np.ndindex(other.shape)):
            s, e = known[:, true[i]], known[:, len(reference) + other[i, k]]
            q, p = projected[:, other[i, k]], projected[:, len(estimate) + place]
            parts = (s, s - e, p, p - s, q, q - p, e - q)
            energies[:, i, k] += [np.einsum("ncb,ncb->", x, x) for x in parts]
    return energies


def _ratios(s, s_e, p, p_s, q, q_p, e_q):
    """Compute SDR, ISR, SIR and SAR in dB from energies, with NaN for 0 / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(np.array([s, s, p, q]) / np.array([s_e, p_s, q_p, e_q]))


def _blocks(reference, estimate, start, size, hop):
    """Return overlapping blocks `(size, rows, blocks)`, with a row per channel of both signals."""
    samples = reference.shape[-1]
    count = min(BLOCKS, -(-(samples - start) // hop))
    part = slice(max(start, 0), start + (count - 1) * hop + size)
    part = [signals[..., part] for signals in (reference, estimate)]
    part = np.concatenate([signals.reshape(-1, signals.shape[-1]) for signals in part])
    padded = np.zeros((len(part), (count - 1) * hop + size))
    first = max(-start, 0)
    padded[:, first : first + part.shape[1]] = part
    blocks = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop]
    return blocks.transpose(2, 0, 1)


def _rfft(signals, size):
    return scipy.fft.rfft(signals, size, axis=0)


def _irfft(spectra, size):
    return scipy.fft.irfft(spectra, size, axis=0)


def _transpose(matrices):
    return np.swapaxes(matrices, -1, -2)


def _block_size(taps):
    return scipy.fft.next_fast_len(8 * taps, real=True)


def _best_order(sir):
    """Return the order of estimates with the best mean `sir`, `(frames, sources, sources)`."""
    scored = sir[~np.isnan(sir).all(axis=(1, 2))]
    mean = scored.mean(axis=0) if len(scored) else np.zeros(sir.shape[1:])
    # Pairs with a source that is always silent have no SIR and come last. Infinity comes first.
    mean = np.nan_to_num(mean, nan=-1e4, posinf=1e4, neginf=-1e4)
    return scipy.optimize.linear_sum_assignment(mean, maximize=True)[1]


def _sounds(signals):
    """Return which samples of `(sources, channels, samples)` are not silent, as in version 4."""
    return sum(signals.swapaxes(0, 1)) != 0


def _determined(reference, estimate, taps):
    """Return whether samples outnumber filter taps; otherwise filters match any estimate."""
    reached = reference.any(axis=(0, 1)).astype("int64")
    reached = np.cumsum(np.pad(reached, (taps, taps - 1)))
    within = reached[taps:] > reached[:-taps]  # samples that some delayed reference reaches
    within[: estimate.shape[-1]] |= estimate.any(axis=(0, 1))
    return np.count_nonzero(within) > taps * reference.shape[0] * reference.shape[1]


def _frames(samples, sample_rate, window, hop):
    """Return the starts and ends of frames, in samples."""
    if window is None:
        return [(0, samples)]
    length, step = round(window * sample_rate), round(hop * sample_rate)
    if length < 1 or step < 1:
        raise InputError(
            f"received window={window} and hop={hop} at {sample_rate} Hz, expected at least one "
            f"sample of each"
        )
    if length >= samples:
        return [(0, samples)]
    return [(start, start + length) for start in range(0, samples - length + 1, step)]


def _checked(reference, estimate, taps):
    """Return both as `(sources, channels, samples)` of the same length."""
    # At most as wide as necessary, since blocks are converted to float64 one by one.
    reference, estimate = (
        np.asarray(x, np.result_type(x, "float32")) for x in (reference, estimate)
    )
    if reference.ndim != 3 or estimate.ndim != 3 or reference.shape[1:] != estimate.shape[1:]:
        raise InputError(
            f"received a reference {reference.shape} and an estimate {estimate.shape}, expected "
            f"(samples, channels, sources) twice, with the same channels and sources"
        )
    if 0 in reference.shape:
        raise InputError(
            f"received a reference of shape {reference.shape}, expected at least one sample"
        )
    if not np.isfinite(reference).all() or not np.isfinite(estimate).all():
        raise InputError(
            "received samples that are not finite, expected finite numbers: look for NaN"
        )
    if taps < 1:
        raise InputError(f"received filter_length={taps}, expected at least 1")
    missing = max(0, len(reference) - len(estimate))
    if missing:
        estimate = np.pad(estimate, ((0, missing), (0, 0), (0, 0)))
    return reference.T, estimate[: len(reference)].T
