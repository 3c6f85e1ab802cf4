"""Warn about samples far beyond full scale, such as integers stored as floats."""

import contextlib
from pathlib import Path

import numpy as np

from kerasep.data.audio.audio_info import as_float
from kerasep.data.datasets.pools import is_pool
from kerasep.data.datasets.stems import read_stem
from kerasep.errors import InputError
from kerasep.system import logs

BEYOND_DB = 20.0  # of full scale; a mix may exceed it by a few dB
_STEMS, _SECONDS = 64, 5.0

log = logs.logger(__name__)


def warn_beyond_full_scale(data_set):
    """Log a warning if any of 64 stems of tracks or a pool is far beyond full scale."""
    if isinstance(data_set, str | Path):  # prepared tracks are within full scale
        return
    if is_pool(data_set):
        stems = [stem for group in data_set.groups.values() for stem in group]
    else:
        stems = [stem for track in data_set for stem in track.stems.values()]
    peaks = {}
    for stem in stems[:: -(-len(stems) // _STEMS) or 1]:
        start = max(0.0, (stem.info.seconds - _SECONDS) / 2)
        rate = stem.info.sample_rate
        with contextlib.suppress(InputError):  # reading all of it reports the error
            block = as_float(read_stem(stem, rate, stem.channels, start, round(_SECONDS * rate)))
            peaks[stem.path] = float(np.abs(block).max(initial=0))
    loud = {path: peak for path, peak in peaks.items() if peak > 10 ** (BEYOND_DB / 20)}
    if loud:
        path, peak = max(loud.items(), key=lambda item: item[1])
        log.warning(
            "%d of %d files go far beyond full scale, %s up to %g: expected samples within ±1, "
            "divide them (kerasep data check lists all such files)",
            len(loud), len(peaks), path, peak,
        )  # fmt: skip
