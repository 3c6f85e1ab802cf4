"""Scores of a model on a data set, compared with the mixture and the ideal masks."""

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from kerasep import data
from kerasep.data.datasets import missing_stems
from kerasep.errors import InputError
from kerasep.evaluation import dnsmos_rating
from kerasep.evaluation.oracles import ORACLES, oracle_estimates
from kerasep.evaluation.score_tables import bounded
from kerasep.metrics import (
    BSS_EVAL,
    DNSMOS,
    SPEECH,
    bss_eval,
    check_installed,
    check_measures,
    median_over_frames,
    scores,
    speech_scores,
)
from kerasep.separation.chunks import best_order
from kerasep.separation.recordings import separate

# The mixture is no baseline for these: it has hardly any artifacts or filtering.
_WITHOUT_IMPROVEMENT = ("bss_isr", "bss_sar")
_ROUNDING = 1e-8  # share of energy: less than this is rounding error, not a source


def evaluate(
    model: Any,
    tracks: str | os.PathLike | list,
    *,
    measures: Sequence[str] = ("si_sdr", "usdr"),
    oracles: bool = True,
    progress: Callable[[float], object] | None = None,
    missing: str = "refuse",
    **settings: Any,
) -> list[dict]:
    """Score a model on every track, and compare it with the mixture and the ideal masks.

    `kerasep.metrics.MEASURES` lists the measures and their conventions. Recordings are scored at
    the model's rate and channel count. The oracles are masks computed from the true sources on the
    model's own transform. They show how far any mask with the mixture's phase could go.

    If the model's sources are interchangeable, its estimates are first put into the order in which
    they come nearest to the stems.

    BSS Eval compares all sources of a track at once. If the mixture holds more than the model's
    sources, the rest of it counts as one more source, and the rest of the estimates as its
    estimate.

    Args:
        model: A model of the zoo, a `kerasep.Separator` or a `kerasep.tflite.Runtime`.
        tracks: Folder of tracks, of which only the test tracks are used if it has splits, or list
            of `kerasep.data.Track`.
        measures: Names in `kerasep.metrics.MEASURES`. "bss_eval" stands for the four of BSS Eval
            version 4, "dnsmos" for the three of DNSMOS P.835, whose network is downloaded once.
            PESQ and STOI need `pip install kerasep[speech]`. Defaults to SI-SDR and uSDR.
        oracles: Whether to score the ideal binary, ratio and truncated phase-sensitive masks too.
            Defaults to True.
        progress: Called with the share of tracks that are done, 0 to 1.
        missing: What to do with a track that lacks a stem of a source: "silent" counts it as
            silence, which has no score, "skip" leaves the track out, "refuse" raises an error.
            Defaults to "refuse".
        **settings: Passed to `kerasep.separate`, such as `wiener_iterations`.

    Returns:
        List of dicts, one per track and source: track, source, each measure, in its unit, with its
        improvement over the mixture, `<measure>_improvement` (except for bss_isr and bss_sar), then
        `<oracle>_<measure>`. Scores are from -100 to 100 dB: beyond lie rounding errors, and the
        infinity of perfect estimates. A score is None if it cannot be measured: for a source that
        is silent in a track, for BSS Eval of tracks too short for its filters or of silent
        estimates, and for the improvement over a mixture that holds nothing but the source.

    Raises:
        InputError: The tracks lack a source of the model or cannot be read, or a measure is
            unknown or lacks its package or network.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 2, seconds=2.0)
    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    rows = kerasep.evaluation.evaluate(model, "songs")
    assert rows[0]["tpsa_si_sdr"] > rows[0]["si_sdr"]
    ```
    """
    measures = check_measures(measures)
    check_installed(measures)
    if set(DNSMOS) & set(measures):
        dnsmos_rating.network()  # before anything is separated
    if isinstance(tracks, str | os.PathLike):
        chosen = data.find_tracks(tracks)
        chosen = [track for track in chosen if track.split == "test"] or chosen
    else:
        chosen = list(tracks)
    if not chosen:
        raise InputError("received no tracks to score, expected at least one")
    chosen = missing_stems.with_sources(chosen, model.sources, missing)
    rows = []
    for done, track in enumerate(chosen, 1):
        mixture, stems = track.read(model.sources, model.sample_rate, model.channels)
        separated = {
            "": estimates(model, mixture, stems, **settings),
            "mixture": np.broadcast_to(mixture[..., None], stems.shape),
        }
        if oracles:
            separated |= oracle_estimates(model, mixture, stems)
        scored = {
            name: _scores(stems, estimate, mixture, model.sample_rate, measures)
            for name, estimate in separated.items()
        }
        for index, source in enumerate(model.sources):
            of_source = {name: by_source[index] for name, by_source in scored.items()}
            alone = _is_rounding(mixture - stems[..., index], mixture)
            row = _row(of_source, measures, alone)
            rows.append({"track": track.name, "source": source} | row)
        if progress:
            progress(done / len(chosen))
    return rows


def estimates(model: Any, mixture: np.ndarray, stems: np.ndarray, **settings: Any) -> np.ndarray:
    """Separate a recording, with the sources in the order of its stems.

    Args:
        model: A model of the zoo, a `kerasep.Separator` or a `kerasep.tflite.Runtime`.
        mixture: Waveform `(samples, channels)` at the model's rate.
        stems: Source waveforms `(samples, channels, sources)`. If the model's sources are
            interchangeable, its estimates are put into the order that comes nearest to them.
        **settings: Passed to `kerasep.separate`, such as `wiener_iterations`.

    Returns:
        Array `(samples, channels, sources)`.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    stems = np.random.randn(8000, 1, 4).astype("float32")
    assert kerasep.evaluation.estimates(model, stems.sum(-1), stems).shape == stems.shape
    ```
    """
    if isinstance(model, keras.Model):
        separated = separate(model, mixture, **settings)
    else:
        separated = model.separate(mixture, **settings)
    stacked = np.stack([separated[source] for source in model.sources], axis=-1)
    if getattr(model, "interchangeable", False):
        stacked = stacked[..., best_order(stems, stacked)]
    return stacked


def _is_rounding(rest, whole):
    """Return whether a waveform is nothing but rounding errors of another."""
    return np.square(rest).sum() <= _ROUNDING * np.square(whole).sum()


def _scores(stems, estimates, mixture, sample_rate, measures):
    """Return for each source a dict from measure to the score of `(samples, channels, sources)`."""
    speech = [measure for measure in measures if measure in SPEECH]
    ratios = [measure for measure in measures if measure not in (*BSS_EVAL, *SPEECH, *DNSMOS)]
    rows = []
    for stem, estimate in zip(
        np.moveaxis(stems, -1, 0), np.moveaxis(estimates, -1, 0), strict=True
    ):
        row = scores(stem, estimate, ratios)
        row |= speech_scores(stem, estimate, sample_rate, speech)
        if set(DNSMOS) & set(measures):
            row |= dnsmos_rating.dnsmos(estimate, sample_rate)
        rows.append(row)
    if set(BSS_EVAL) & set(measures):
        rest, estimated_rest = (mixture - x.sum(axis=-1) for x in (stems, estimates))
        if not _is_rounding(rest, mixture):
            stems = np.concatenate([stems, rest[..., None]], axis=-1)
            estimates = np.concatenate([estimates, estimated_rest[..., None]], axis=-1)
        medians = median_over_frames(bss_eval(stems, estimates, sample_rate))
        for index, row in enumerate(rows):
            row |= {measure: float(medians[measure[4:]][index]) for measure in BSS_EVAL}
    for index, row in enumerate(rows):
        if not np.any(stems[..., index]):
            row |= dict.fromkeys(measures, math.nan)
    return rows


def _row(scored, measures, alone):
    """Return the columns of one source, from its scores by estimate (the model's is "")."""
    row = {}
    for measure in measures:
        row[measure] = scored[""][measure]
        if measure not in _WITHOUT_IMPROVEMENT:
            before = math.nan if alone else scored["mixture"][measure]
            row[f"{measure}_improvement"] = scored[""][measure] - before
    for name in [name for name in scored if name in ORACLES]:
        row |= {f"{name}_{measure}": scored[name][measure] for measure in measures}
    return {key: bounded(value) for key, value in row.items()}
