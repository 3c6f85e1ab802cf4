"""Crops out of prepared shards, found by their offsets and read by TensorFlow's own operations."""

import os
import stat
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasep.data.prepared import shards
from kerasep.errors import InputError
from kerasep.system import logs
from kerasep.system.names import one_line

log = logs.logger(__name__)


class ShardCrops:
    """Where the segments of some shards lie, and how a crop of one is read.

    Args:
        folder: The prepared folder.
        settings: Its index's settings.
        entries: The index's list of shards.
        rows: Rows of a crop.

    Raises:
        InputError: A shard is missing.
    """

    def __init__(self, folder, settings, entries, rows):
        self.settings, self.rows = settings, rows
        self.record_bytes = settings["record_rows"] * shards.row_bytes(settings)
        self.files = [os.fsencode(Path(folder) / entry["file"]) for entry in entries]
        self.shown = [one_line(Path(folder) / entry["file"]) for entry in entries]
        for file, entry in zip(self.files, entries, strict=True):
            _check_size(Path(os.fsdecode(file)), entry["bytes"])
        segments = [segment for entry in entries for segment in entry["segments"]]
        self.tracks = [segment["track"] for segment in segments]
        self.lengths = np.array([segment["rows"] for segment in segments], "int64")
        self.offsets = np.array([segment["offset"] for segment in segments], "int64")
        self.scales = np.array([segment["scales"] for segment in segments], "float32")
        self.shard = np.repeat(np.arange(len(entries)), [len(e["segments"]) for e in entries])
        # Records of one group, and those of the same file before the segment.
        self.records = -(-self.lengths // settings["record_rows"])
        before = np.cumsum(self.records) - self.records
        before -= before[np.searchsorted(self.shard, self.shard)] if len(segments) else 0
        self.records_before = before * shards.group_count(settings)

    def locate(self, segments, starts):
        """Find the records that crops need.

        Args:
            segments: Int64 tensor `(crops, groups)`: in which segment each group of a crop lies.
            starts: Int64 tensor of the same shape: the crops' first rows.

        Returns:
            Dict of tensors of the same shape: `shard` and `offset` in it; `records` to read, the
            number of the `first` in the file, and how many `bytes` they have; `skip`, the bytes of
            them before the crop; `scale` of the numbers.
        """
        size, width = self.settings["record_rows"], shards.row_bytes(self.settings)
        groups = tf.range(segments.shape[1], dtype=tf.int64)
        lengths = tf.gather(self.lengths, segments)
        stops = tf.minimum(starts + self.rows, lengths)
        first, last = starts // size, (stops - 1) // size
        return {
            "shard": tf.gather(self.shard, segments),
            "offset": tf.gather(self.offsets, segments)
            + groups * shards.group_bytes(self.settings, lengths)
            + first * (self.record_bytes + shards.FRAMING),
            "records": last - first + 1,
            "first": tf.gather(self.records_before, segments)
            + groups * tf.gather(self.records, segments)
            + first,
            "bytes": (tf.minimum((last + 1) * size, lengths) - first * size) * width,
            "skip": (starts - first * size) * width,
            "scale": tf.gather_nd(self.scales, tf.stack([segments, groups + 0 * segments], -1)),
        }

    def read(self, places, extra):
        """Read all groups of a crop.

        Args:
            places: What `locate` returns, of one crop: tensors `(groups,)`.
            extra: What goes with the crop.

        Returns:
            A tf.data.Dataset of one element: `content`, the groups' bytes `(groups,)`; `whole`, for
            each whether it could be read; `what` it is, in words; and `extra`.
        """
        groups = [
            self._group({name: value[group] for name, value in places.items()})
            for group in range(places["offset"].shape[0])
        ]
        return tf.data.Dataset.zip(tuple(groups)).map(
            lambda *groups: (
                {name: tf.stack([group[name] for group in groups]) for name in groups[0]}
                | {"extra": extra}
            )
        )

    def _group(self, place):
        path = tf.gather(self.files, place["shard"])
        shown = tf.gather(self.shown, place["shard"])
        file = tf.data.experimental.from_variant(
            tf.raw_ops.TFRecordDatasetV2(
                filenames=[path],
                compression_type="",
                buffer_size=0,  # records are long: a buffer would be one more copy
                byte_offsets=[place["offset"]],
            ),
            tf.TensorSpec((), tf.string),
        )
        # With an empty record at the end there is an element whatever is wrong with the file.
        records = file.take(place["records"]).ignore_errors()
        records = records.concatenate(tf.data.Dataset.from_tensors(""))

        def crop(parts):
            joined = tf.strings.reduce_join(parts)
            whole = tf.strings.length(joined) == tf.cast(place["bytes"], tf.int32)
            wanted = self.rows * shards.row_bytes(self.settings)
            if self.settings["format"] != "int16":
                # NaN and infinity of float16 are the numbers whose exponent has all bits set.
                numbers = tf.io.decode_raw(joined, tf.int16)
                whole &= tf.reduce_all(tf.bitwise.bitwise_and(numbers, 0x7C00) != 0x7C00)
            content = tf.cond(
                whole, lambda: tf.strings.substr(joined, place["skip"], wanted), lambda: ""
            )
            number = tf.strings.as_string(place["first"] + tf.size(parts, tf.int64) - 1)
            what = tf.strings.join(["record ", number, " of ", shown])
            return {"content": content, "whole": whole, "what": what}

        most = (self.rows - 2) // self.settings["record_rows"] + 3
        return records.batch(most).take(1).map(crop)


def _check_size(path, expected):
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path} is missing: run the same kerasep prepare again") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a file: run the same kerasep prepare again")
    size = status.st_size
    if size != expected:
        log.warning(
            "%s has %d bytes, expected %d: what is missing is skipped; the same kerasep prepare "
            "again writes it anew",
            path,
            size,
            expected,
        )
