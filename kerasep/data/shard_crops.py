"""Crops out of prepared shards, found by their offsets and read by TensorFlow's own operations."""

import logging
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasep.data import shards
from kerasep.errors import InputError

log = logging.getLogger(__name__)


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
        self.files = [str(Path(folder) / entry["file"]) for entry in entries]
        for file, entry in zip(self.files, entries, strict=True):
            _check_size(Path(file), entry["bytes"])
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

    def for_training(self, crops_per_track=None):
        """Count the crops of a training epoch.

        Args:
            crops_per_track: How many of each track. Defaults to as many as cover it.

        Returns:
            Int64 array that holds the number of a segment once for each of its crops.
        """
        counts = np.maximum(1, np.rint(self.lengths / self.rows)).astype("int64")
        if crops_per_track is not None:
            for track in dict.fromkeys(self.tracks):
                mine = [number for number, name in enumerate(self.tracks) if name == track]
                share = np.cumsum(self.lengths[mine]) / self.lengths[mine].sum()
                ends = np.rint(share * crops_per_track).astype("int64")
                counts[mine] = np.diff(ends, prepend=0)
        return np.repeat(np.arange(len(counts)), counts)

    def for_validation(self):
        """List consecutive crops that cover everything.

        Returns:
            Int64 arrays of segments and of first rows.
        """
        starts = [np.arange(0, length, self.rows) for length in self.lengths]
        segments = np.repeat(np.arange(len(starts)), [len(start) for start in starts])
        return segments, np.concatenate([*starts, []]).astype("int64")

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
            A tf.data.Dataset of one element: `content`, the groups' bytes `(groups,)`, empty where
            they cannot be read; `record`, of each the number in its file of the first record that
            cannot; the `shard` of each; and `extra`.
        """
        groups = [
            self._group({name: value[group] for name, value in places.items()})
            for group in range(places["offset"].shape[0])
        ]
        return tf.data.Dataset.zip(tuple(groups)).map(
            lambda *groups: {
                "content": tf.stack([content for content, _ in groups]),
                "record": tf.stack([record for _, record in groups]),
                "shard": places["shard"],
                "extra": extra,
            }
        )

    def _group(self, place):
        file = tf.data.experimental.from_variant(
            tf.raw_ops.TFRecordDatasetV2(
                filenames=[tf.gather(self.files, place["shard"])],
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
            content = tf.cond(
                whole, lambda: tf.strings.substr(joined, place["skip"], wanted), lambda: ""
            )
            return content, place["first"] + tf.size(parts, tf.int64) - 1

        most = (self.rows - 2) // self.settings["record_rows"] + 3
        return records.batch(most).take(1).map(crop)


def whole(examples, folder, files):
    """Leave out crops that could not be read, with a line for each.

    Args:
        examples: Dataset of what `ShardCrops.read` gives.
        folder: The prepared folder.
        files: Its files.

    Returns:
        A tf.data.Dataset of (`content`, `extra`), which raises when there are no more.
    """

    def count(skipped, example):
        missing = tf.strings.length(example["content"]) == 0
        damaged = tf.reduce_any(missing)

        def warn():
            group = tf.argmax(tf.cast(missing, tf.int32))
            file = tf.gather(files, example["shard"][group])
            tf.print(
                "kerasep: record ", example["record"][group], " of ", file, " cannot be read: ",
                "another crop is taken, number ", skipped + 1, " of this epoch; the same kerasep ",
                "prepare again writes the file anew",
                sep="",
            )  # fmt: skip
            return skipped + 1

        skipped = tf.cond(damaged, warn, lambda: skipped)
        return skipped, (example["content"], example["extra"], damaged)

    def refuse(_):
        message = f"InputError: {folder}: most crops cannot be read: prepare it again"
        with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
            return tuple(tf.zeros(spec.shape, spec.dtype) for spec in left.element_spec)

    counted = examples.scan(tf.constant(0), count)
    left = counted.filter(lambda content, extra, damaged: ~damaged)
    left = left.map(lambda content, extra, damaged: (content, extra))
    return left.concatenate(tf.data.Dataset.range(1).map(refuse))


def _check_size(path, expected):
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} is missing: run the same kerasep prepare again") from error
    if size != expected:
        log.warning(
            "%s has %d bytes, expected %d: what is missing is skipped; the same kerasep prepare "
            "again writes it anew",
            path,
            size,
            expected,
        )
