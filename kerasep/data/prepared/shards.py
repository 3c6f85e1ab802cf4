"""Write prepared shards: TFRecord files from which any crop can be read.

A shard depends on the plan alone, so that any process or machine can write it.
"""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasep.data.audio.audio_info import as_float
from kerasep.data.datasets.stems import read_stem
from kerasep.data.prepared.index import parse_sidecar
from kerasep.data.prepared.layout import INDEX, framed, group_count, rows, segment_bytes
from kerasep.data.prepared.magnitudes import Statistics
from kerasep.data.prepared.planning import Plan, head
from kerasep.data.prepared.planning import plan as plan
from kerasep.errors import InputError
from kerasep.files.atomic import replacing
from kerasep.files.checksums import sha256
from kerasep.system import logs

_LOUDEST = 1e10  # times full scale: what is louder has no finite spectrum

log = logs.logger(__name__)


def write_shard(plan: Plan, index: int, folder: str | os.PathLike) -> dict:
    """Write one shard of a plan, and a JSON file beside it that describes it.

    Both appear once they are complete, the JSON file last: a shard that has one is finished. The
    same plan gives the same bytes. A segment that cannot be read is left out.

    Args:
        plan: A `Plan`.
        index: Number of the shard.
        folder: An existing folder.

    Returns:
        The content of the JSON file: a dict of file, bytes, sha256, segments, skipped, and sums for
        the statistics and the rounding error in the index.

    Raises:
        InputError: The disk is full.

    Example:
    ```python
    from types import SimpleNamespace
    from kerasep.data import find_tracks, shards, write_songs

    write_songs("songs", 3, seconds=2.0)
    model = SimpleNamespace(sources=("vocals",), sample_rate=16000, channels=1, stft=None)
    plan = shards.plan(find_tracks("songs"), model)
    for index in range(len(plan.shards)):
        entry = shards.write_shard(plan, index, ".")
        assert entry["bytes"] == plan.shard_bytes(index)
    ```
    """
    path = Path(folder) / plan.name(index)
    entry = {"file": path.name, "segments": [], "skipped": []}
    sums = {"signal": 0.0, "error": 0.0}
    statistics = Statistics() if plan.settings["stft"] else None
    offset = 0
    with replacing(path) as temporary:
        with open(temporary, "wb") as file:
            for segment in plan.shards[index]:
                name = plan.tracks[segment.track].name
                try:
                    waveforms = _read(plan, segment)
                except (InputError, OSError) as error:
                    log.warning("%s is left out: %s", name, error)
                    entry["skipped"].append({"track": name, "reason": str(error)})
                    continue
                scales = [
                    _write_group(file, plan.settings, waveform, sums) for waveform in waveforms
                ]
                if statistics:
                    for magnitude in _magnitudes(sum(waveforms), plan.settings["stft"]):
                        statistics.add(magnitude)
                count = rows(plan.settings, segment.samples)
                start = segment.start / plan.settings["sample_rate"]
                about = {"track": name, "start": start, "rows": count, "offset": offset}
                entry["segments"].append({**about, "scales": scales})
                offset += segment_bytes(plan.settings, count)
        entry |= {"bytes": temporary.stat().st_size, "sha256": sha256(temporary), **sums}
        entry["statistics"] = statistics.to_json() if statistics else None
    write_json(sidecar(path), entry)
    return entry


def sidecar(path):
    """Return the path of the JSON file beside a shard."""
    return Path(path).with_suffix(".json")


def _read(plan, segment):
    """Read the waveforms `(samples, channels)` of a segment's groups."""
    rate, channels = plan.settings["sample_rate"], plan.settings["channels"]
    groups = plan.tracks[segment.track].groups(plan.settings["sources"])
    waveforms = []
    for group in groups[: group_count(plan.settings)]:
        waveform = np.zeros((segment.samples, channels), "float32")
        for stem in group:
            part = read_stem(stem, rate, channels, segment.start / rate, segment.samples)
            waveform[: len(part)] += as_float(part)
        peak = np.abs(waveform).max(initial=0.0)
        if not peak < _LOUDEST:
            raise InputError(f"a stem reaches {peak:g} times full scale: repair the file")
        waveforms.append(waveform)
    return waveforms


def _write_group(file, settings, waveform, sums):
    """Write one group as records; return the factor from stored numbers to samples."""
    scale = 1.0
    if settings["format"] == "int16":
        # Samples of 16-bit files stay as they are, and louder ones are not clipped.
        peak = float(np.abs(waveform).max(initial=0.0))
        scale = max(1.0, peak * 32768 / 32767) / 32768
    size = settings["record_rows"]
    if settings["format"] == "spectrogram":
        blocks = _spectra(waveform, settings["stft"], size)
    else:
        blocks = (waveform[first : first + size] for first in range(0, len(waveform), size))
    for block in blocks:
        if settings["format"] == "int16":
            stored = np.clip(np.rint(block / np.float32(scale)), -32768, 32767).astype("<i2")
        else:
            stored = np.clip(block, -65504, 65504).astype("<f2")
        restored = stored.astype("float32") * np.float32(scale)
        sums["signal"] += float(np.square(block, dtype="float64").sum())
        sums["error"] += float(np.square(block - restored, dtype="float64").sum())
        file.write(framed(stored.tobytes()))
    return scale


def _spectra(waveform, stft, frames):
    """Yield the spectrum of a waveform, `frames` at a time: `(frames, bins, channels, 2)`."""
    # Imported here: archives of .tflite files are separated without TensorFlow and Keras.
    from kerasep.data.sampling.spectra import stft as transform
    from kerasep.ops import count_stft_frames, filled_length

    n_fft, hop = stft["n_fft"], stft["hop"]
    total = count_stft_frames(len(waveform), n_fft, hop)
    filled = filled_length(len(waveform), n_fft, hop)
    waveform = np.pad(waveform, ((0, filled - len(waveform)), (0, 0)))
    mode = "reflect" if filled > n_fft // 2 else "constant"
    padded = np.pad(waveform, ((n_fft // 2, n_fft // 2), (0, 0)), mode)
    for first in range(0, total, frames):
        count = min(frames, total - first)
        block = padded[first * hop : (first + count - 1) * hop + n_fft]
        yield transform(block[None], **stft, center=False)[0].numpy()


def _magnitudes(waveform, stft):
    """Yield magnitudes `(1, frames, bins, channels)`."""
    for spectrum in _spectra(waveform, stft, 64):
        yield np.hypot(spectrum[..., 0], spectrum[..., 1])[None]


def finished(plan: Plan, index: int, folder: str | os.PathLike) -> dict | None:
    """Return the entry of a finished shard.

    Args:
        plan: A `Plan`.
        index: Number of the shard.
        folder: Its folder.

    Returns:
        What `write_shard` returned, or None for a shard that is missing, incomplete or damaged.
    """
    path = Path(folder) / plan.name(index)
    try:
        entry = parse_sidecar(sidecar(path).read_bytes(), plan.settings)
        agrees = entry["file"] == path.name and _planned(plan, index, entry)
        if agrees and path.stat().st_size == entry["bytes"] and sha256(path) == entry["sha256"]:
            return entry
    except (OSError, ValueError):
        pass
    return None


def _planned(plan, index, entry):
    """Return whether an entry has all segments of a shard but those of tracks that it skipped."""
    skipped = {skip["track"] for skip in entry["skipped"]}
    wanted = []
    for segment in plan.shards[index]:
        name, start = plan.tracks[segment.track].name, segment.start / plan.settings["sample_rate"]
        wanted.append((name, start, rows(plan.settings, segment.samples)))
    written = [(part["track"], part["start"], part["rows"]) for part in entry["segments"]]
    left_out = [segment for segment in wanted if segment not in written]
    return (
        written == [segment for segment in wanted if segment not in left_out]
        and {name for name, _, _ in left_out} == skipped
    )


def finish(plan: Plan, entries: Sequence[dict], folder: str | os.PathLike) -> dict:
    """Write the index of a folder whose shards are all written.

    Args:
        plan: A `Plan`.
        entries: What `write_shard` or `finished` returned for each shard.
        folder: The folder of the shards.

    Returns:
        The index, a dict.

    Raises:
        InputError: No shard has a segment to train on.
    """
    parts = {"train": entries[: plan.valid], "valid": entries[plan.valid :]}
    if not any(entry["segments"] for entry in parts["train"]):
        skipped = [skip["reason"] for entry in entries for skip in entry["skipped"]]
        raise InputError(f"{folder}: no track could be read: {skipped[0]}")
    index = head(plan.settings)
    for name, part in parts.items():
        merged = Statistics.merged(entry["statistics"] for entry in part)
        index[name] = {
            "shards": [
                {key: entry[key] for key in ("file", "bytes", "sha256", "segments")}
                for entry in part
            ],
            "statistics": merged.to_json() if merged else None,
        }
    error = sum(entry["error"] for entry in entries)
    signal = sum(entry["signal"] for entry in entries)
    index["snr_db"] = round(10 * math.log10(signal / error), 1) if signal and error else None
    index["skipped"] = [skip for entry in entries for skip in entry["skipped"]]
    write_json(Path(folder) / INDEX, index)
    return index


def write_json(path, value):
    """Write a JSON file completely, or leave the old one as it is."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value), "utf-8")
