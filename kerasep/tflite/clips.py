"""The SI-SDR that an exported file loses on recordings whose sources are known."""

import pathlib

import keras
import numpy as np

from kerasep import data
from kerasep.data.synthetic.songs import STEMS
from kerasep.errors import InputError
from kerasep.metrics import scores
from kerasep.separation.chunks import best_order

# A clip is a pair: mixture (samples, channels) and sources (samples, channels, sources).


def synthetic_clips(separator, samples):
    """Return a list of the built-in clip: synthetic voices and instruments."""
    # Sources named like stems of `kerasep.data.song` are these stems, others are other singers.
    names, rest = _names(separator)

    def song(seed):
        seconds = samples / separator.sample_rate
        return data.song(seed, seconds, separator.sample_rate, separator.channels)

    first = song(0)
    stems = [
        first[name] if name in STEMS else song(1 + index)["vocals"]
        for index, name in enumerate(names)
    ]
    others = [first[name] for name in STEMS if name not in names] if rest else []
    mixture = sum(stems) + sum(others)
    return [(mixture, _with_rest(mixture, np.stack(stems, axis=-1), rest))]


def track_clips(separator, tracks, samples):
    """Return the middle of every track of a folder or list; short ones are padded with silence."""
    names, rest = _names(separator)
    if isinstance(tracks, str | pathlib.Path):
        tracks = data.find_tracks(tracks, names)
        tracks = [track for track in tracks if track.split == "test"] or tracks
    if not tracks:
        raise InputError("received no tracks to judge by, expected at least one")
    clips = []
    seconds = samples / separator.sample_rate
    for track in tracks:
        start = max(0.0, (track.duration - seconds) / 2)
        mixture, stems = track.read(
            names, separator.sample_rate, separator.channels, start, seconds
        )
        clips.append((mixture, _with_rest(mixture, stems, rest)))
    return clips


def si_sdr_change(plan, separator, run, clips):
    """Compute the mean SI-SDR of a file minus that of Keras in dB; NaN if no source has sound."""
    changes = []
    for mixture, sources in clips:
        waveform = mixture[None]
        keras_scores, file_scores = (
            _scores(sources, plan.waveforms(result, waveform), separator)
            for result in (plan.expected(waveform), plan.received(run, waveform))
        )
        changes += [b - a for a, b in zip(keras_scores, file_scores, strict=True)]
    return float(np.mean(changes)) if changes else float("nan")


def _scores(sources, estimates, separator):
    estimates = keras.ops.convert_to_numpy(estimates)[0]
    if getattr(separator, "interchangeable", False):
        estimates = estimates[..., best_order(sources, estimates)]
    return [
        scores(sources[..., index], estimates[..., index], ["si_sdr"])["si_sdr"]
        for index in range(sources.shape[-1])
        if sources[..., index].any()
    ]


def _names(separator):
    """Return the names of the sources that a model separates, and that of the residual or None."""
    rest = getattr(separator, "residual", None)
    return [name for name in separator.sources if name != rest], rest


def _with_rest(mixture, stems, rest):
    if rest:
        stems = np.concatenate([stems, (mixture - stems.sum(axis=-1))[..., None]], axis=-1)
    return stems.astype("float32")
