"""A model and a folder of tracks: a table of scores, beside the mixture's and the ideal masks'."""

import math
import pathlib
import statistics

import keras
import numpy as np

from kerasep import data, ops, targets
from kerasep.data.datasets import missing_stems
from kerasep.errors import InputError
from kerasep.files.text_files import write_table
from kerasep.metrics import BSS_EVAL, bss_eval, check_measures, median_over_frames, scores
from kerasep.separation.apply import CHUNK_SECONDS, pad_to_frames, separate
from kerasep.separation.chunks import best_order, crossfaded

ORACLES = {
    "ibm": targets.ideal_binary_mask,
    "irm": targets.ideal_ratio_mask,
    "tpsa": targets.ideal_phase_sensitive_mask,
}
# Of these the mixture's is no yardstick: it has next to no artifacts, and hardly any filtering.
WITHOUT_IMPROVEMENT = ("bss_isr", "bss_sar")
# Beyond this many dB, to infinity, lie rounding errors; scores end there, so that means exist.
LIMIT = 100.0
# What is left at rounding level, as a share of energy, is no source.
ROUNDING = 1e-8
ORACLE_STFT = {"n_fft": 2048, "hop": 512, "window": "hann"}


def evaluate(
    model,
    tracks,
    *,
    measures=("si_sdr", "usdr"),
    oracles=True,
    progress=None,
    missing="refuse",
    **settings,
):
    """Score a model on every track, beside the mixture and the ideal masks.

    `kerasep.metrics.MEASURES` names the measures and their conventions. Recordings are scored at
    the model's rate and channel count. The oracles, masks computed from the true sources on the
    model's own transform, show how far any mask with the mixture's phase could go.

    The estimates of a model whose sources are interchangeable are first put into the order in which
    they come nearest to the stems.

    BSS Eval compares all sources of a track at once; where the mixture holds more than the model's
    sources, the rest of it is one source more, its estimate being the rest of the estimates.

    Args:
        model: a model of the zoo, a `kerasep.Separator` or a `kerasep.tflite.Runtime`.
        tracks: folder of tracks, whose test tracks are taken where it has splits of its own, or
            list of `kerasep.data.Track`.
        measures: names in `kerasep.metrics.MEASURES`; "bss_eval" stands for the four of BSS Eval
            version 4. Defaults to SI-SDR and uSDR.
        oracles: whether to score the ideal binary, ratio and truncated phase-sensitive masks too.
            Defaults to True.
        progress: called with the share of tracks that are done, 0 to 1.
        missing: what to do about a track that lacks a stem of a source: "silent" counts it as
            silence, which has no score, "skip" leaves the track out, "refuse" raises an error.
            Defaults to "refuse".
        **settings: passed to `kerasep.separate`, such as `wiener_iterations`.

    Returns:
        List of dicts, one a track and source: track, source, each measure in dB and its improvement
        over the mixture, `<measure>_improvement` (none of bss_isr and bss_sar), then
        `<oracle>_<measure>`. What cannot be measured has no score, None: a source that is silent in
        a track; BSS Eval of tracks too short for its filters, or of silent estimates; and the
        improvement over a mixture that holds nothing but the source. All others are from -100 to
        100 dB: beyond lie rounding errors, and the infinity of estimates without any error.

    Raises:
        InputError: for tracks that lack a source of the model, or cannot be read, and for measures
            that are not known.

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
    if isinstance(tracks, str | pathlib.Path):
        tracks = data.find_tracks(tracks)
        tracks = [track for track in tracks if track.split == "test"] or tracks
    if not tracks:
        raise InputError("received no tracks to score, expected at least one")
    tracks = missing_stems.with_sources(tracks, model.sources, missing)
    rows = []
    for done, track in enumerate(tracks, 1):
        mixture, stems = track.read(model.sources, model.sample_rate, model.channels)
        everything = {
            "": estimates(model, mixture, stems, **settings),
            "mixture": np.broadcast_to(mixture[..., None], stems.shape),
        }
        if oracles:
            everything |= oracle_estimates(model, mixture, stems)
        scored = {
            name: _scores(stems, separated, mixture, model.sample_rate, measures)
            for name, separated in everything.items()
        }
        for index, source in enumerate(model.sources):
            each = {name: found[index] for name, found in scored.items()}
            alone = _is_rounding(mixture - stems[..., index], mixture)
            rows.append({"track": track.name, "source": source} | _row(each, measures, alone))
        if progress:
            progress(done / len(tracks))
    return rows


def estimates(model, mixture, stems, **settings):
    """Separate a recording, and put the sources into the order of its stems.

    Args:
        model: a model of the zoo, a `kerasep.Separator` or a `kerasep.tflite.Runtime`.
        mixture: waveform `(samples, channels)` at the model's rate.
        stems: source waveforms `(samples, channels, sources)`. They decide the order where the
            model's sources are interchangeable: that in which the estimates come nearest to them.
        **settings: passed to `kerasep.separate`, such as `wiener_iterations`.

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
        found = separate(model, mixture, **settings)
    else:
        found = model.separate(mixture, **settings)
    ordered = np.stack([found[source] for source in model.sources], axis=-1)
    if getattr(model, "interchangeable", False):
        ordered = ordered[..., best_order(stems, ordered)]
    return ordered


def oracle_estimates(model, mixture, stems):
    """Separate a recording by the masks that its true sources would give.

    Args:
        model: gives the transform; one without uses frames of 2048 samples with a hop of 512.
        mixture: waveform `(samples, channels)`.
        stems: source waveforms `(samples, channels, sources)`.

    Returns:
        Dict from "ibm", "irm" and "tpsa" to estimates `(samples, channels, sources)`.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    stems = np.random.randn(8000, 1, 4).astype("float32")
    ideal = kerasep.evaluation.oracle_estimates(model, stems.sum(-1), stems)
    assert ideal["irm"].shape == stems.shape
    ```
    """
    transform = getattr(getattr(model, "model", model), "stft", None) or ORACLE_STFT
    samples, channels, sources = stems.shape
    together = np.concatenate([mixture[..., None], stems], axis=-1).reshape(samples, -1)

    def process(waveforms):
        spectrum = ops.stft(pad_to_frames(waveforms[None], transform), **transform)
        shape = keras.ops.shape(spectrum)
        reference = keras.ops.reshape(spectrum, (*shape[:3], channels, 1 + sources, 2))
        separated = [
            _masked(reference, mask(reference), transform, len(waveforms))
            for mask in ORACLES.values()
        ]
        return np.concatenate(separated, axis=-1)

    chunk = round(CHUNK_SECONDS * model.sample_rate)
    pieces = crossfaded([together], process, chunk, 4 * transform["n_fft"], hop=transform["hop"])
    joined = np.concatenate(list(pieces)).reshape(samples, channels, len(ORACLES), sources)
    return {name: joined[:, :, index] for index, name in enumerate(ORACLES)}


def summarise(rows):
    """Take the median over tracks of every score, for each source.

    Args:
        rows: what `evaluate` returns.

    Returns:
        List of dicts, one a source, `track` being "median of N". Tracks without a score are left
        out of its median; where none has one it is None.

    Raises:
        InputError: for no rows.

    Example:
    >>> summarise([{"track": "a", "source": "bass", "si_sdr": 1.0}])
    [{'track': 'median of 1', 'source': 'bass', 'si_sdr': 1.0}]
    """
    if not rows:
        raise InputError("received no scores, expected those of at least one track")
    summary = []
    for source in dict.fromkeys(row["source"] for row in rows):
        own = [row for row in rows if row["source"] == source]
        medians = {"track": f"median of {len(own)}", "source": source}
        for key in list(own[0])[2:]:
            values = [bounded(row[key]) for row in own]
            values = [value for value in values if value is not None]
            medians[key] = statistics.median(values) if values else None
        summary.append(medians)
    return summary


def bounded(score: float | None) -> float | None:
    """Return a score as tables show it: None for NaN, and no more than 100 dB either way.

    Args:
        score: in dB, or None.

    Returns:
        A finite number, or None.

    Example:
    >>> bounded(float("inf")), bounded(float("nan")), bounded(-3.0)
    (100.0, None, -3.0)
    """
    if score is None or math.isnan(score):
        return None
    return max(-LIMIT, min(LIMIT, score))


def write_csv(rows, path):
    """Write a table of scores; dB with three decimals, nothing where there is no score.

    Args:
        rows: list of dicts with the same keys.
        path: the file, replaced if it exists.

    Raises:
        InputError: for a file that cannot be written; what was there is left as it was.

    Example:
    ```python
    from kerasep.evaluation import write_csv

    write_csv([{"track": "a", "source": "bass", "si_sdr": 1.0}], "scores.csv")
    ```
    """
    write_table(path, list(map(_written, rows)))


def _written(row):
    written = {}
    for key, value in row.items():
        value = bounded(value) if isinstance(value, float) else value
        written[key] = f"{value:.3f}" if isinstance(value, float) else value
    return written


def _is_rounding(rest, whole):
    """Whether a waveform is nothing but rounding errors of another."""
    return np.square(rest).sum() <= ROUNDING * np.square(whole).sum()


def _masked(reference, mask, transform, length):
    """Waveforms `(samples, channels, sources)` of the masked mixture."""
    spectra = ops.apply_mask(mask, reference[..., 0, :])
    waveforms = [
        ops.istft(spectra[..., index, :], **transform, length=length)[0]
        for index in range(spectra.shape[-2])
    ]
    return keras.ops.convert_to_numpy(keras.ops.stack(waveforms, axis=-1))


def _scores(stems, estimates, mixture, sample_rate, measures):
    """Scores of estimates `(samples, channels, sources)`: for each source, a dict by measure."""
    ratios = [measure for measure in measures if measure not in BSS_EVAL]
    found = [
        scores(stems[..., index], estimates[..., index], ratios) for index in range(stems.shape[-1])
    ]
    if len(ratios) < len(measures):
        rest, estimated_rest = (mixture - x.sum(axis=-1) for x in (stems, estimates))
        if not _is_rounding(rest, mixture):
            stems = np.concatenate([stems, rest[..., None]], axis=-1)
            estimates = np.concatenate([estimates, estimated_rest[..., None]], axis=-1)
        medians = median_over_frames(bss_eval(stems, estimates, sample_rate))
        for index, row in enumerate(found):
            row |= {measure: float(medians[measure[4:]][index]) for measure in BSS_EVAL}
    for index, row in enumerate(found):
        if not np.any(stems[..., index]):
            row |= dict.fromkeys(measures, math.nan)
    return found


def _row(scored, measures, alone):
    """One source's scores by what was scored, "" being the model, as columns."""
    row = {}
    for measure in measures:
        row[measure] = scored[""][measure]
        if measure not in WITHOUT_IMPROVEMENT:
            before = math.nan if alone else scored["mixture"][measure]
            row[f"{measure}_improvement"] = scored[""][measure] - before
    for name in [name for name in scored if name in ORACLES]:
        row |= {f"{name}_{measure}": scored[name][measure] for measure in measures}
    return {key: bounded(value) for key, value in row.items()}
