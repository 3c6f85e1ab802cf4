"""The layout of shards: TFRecord files whose every offset follows from a folder's settings.

A *segment* (a track, or three minutes of a longer one) is stored as one *group* of stems after the
other: each source, then the rest of the mixture. A group is a sequence of *rows* (samples, or
frames of its spectrum), cut into records of half a second. A record is nothing but these numbers
in little endian.
"""

import math
import struct

import google_crc32c
import numpy as np

INDEX, PLAN = "index.json", "plan.json"
FORMATS = ("int16", "float16", "spectrogram")
LAYOUT = 1  # of the folder: another number is not read
FRAMING = 16  # bytes that TFRecord adds to a record: its length, and a checksum of each
HEAD = 12  # of them before the content

_SEGMENT_SECONDS, _RECORD_SECONDS = 180.0, 0.5


def with_rows(settings):
    """Complete settings by the rows of a record and the shape of a row, which follow from them."""
    spectra, channels = settings["format"] == "spectrogram", settings["channels"]
    rate = settings["sample_rate"]
    if spectra:
        rate /= settings["stft"]["hop"]
    return {
        **settings,
        "record_rows": max(1, round(_RECORD_SECONDS * rate)),
        "row_shape": [settings["stft"]["n_fft"] // 2 + 1, channels, 2] if spectra else [channels],
    }


def transform_of(model):
    """Return a model's transform with its default window, or None."""
    stft = getattr(model, "stft", None)
    return {"window": "hann", **stft} if stft else None


def shard_name(index, count):
    """Return the file name of a shard."""
    return f"{index:05d}-of-{count:05d}.tfrecord"


def rows(settings, samples):
    """Compute the number of rows of a segment or a crop."""
    if settings["format"] != "spectrogram":
        return samples
    from kerasep.ops import count_stft_frames  # needs Keras, which waveforms do without

    return count_stft_frames(samples, settings["stft"]["n_fft"], settings["stft"]["hop"])


def segment_cuts(settings, samples):
    """Return the samples at which a track is cut into segments, its end included."""
    parts = math.ceil(samples / (_SEGMENT_SECONDS * settings["sample_rate"]))
    return [samples * part // parts for part in range(parts + 1)]


def longest_segment(settings):
    """Compute the most rows of a segment."""
    return rows(settings, math.ceil(_SEGMENT_SECONDS * settings["sample_rate"]))


def group_count(settings):
    """Return the number of groups in a segment."""
    return len(settings["sources"]) + settings["rest"]


def row_bytes(settings):
    """Compute the length of a row: every number takes two bytes."""
    return 2 * math.prod(settings["row_shape"])


def record_bytes(settings):
    """Compute the length of a full record in the file."""
    return settings["record_rows"] * row_bytes(settings) + FRAMING


def group_bytes(settings, rows):
    """Compute the length of one group of a segment in the file."""
    return rows * row_bytes(settings) + FRAMING * -(-rows // settings["record_rows"])


def segment_bytes(settings, rows):
    """Compute the length of a segment in the file."""
    return group_count(settings) * group_bytes(settings, rows)


def framed(content):
    """Return bytes framed as a record of TFRecord."""
    head = struct.pack("<Q", len(content))
    return head + _checksum(head) + content + _checksum(content)


def is_intact(record, length):
    """Return whether a uint8 array is an undamaged record of `length` bytes."""
    content = record[HEAD : HEAD + length]
    return (
        len(record) == length + FRAMING
        and record[:8].tobytes() == struct.pack("<Q", length)
        and record[HEAD + length :].tobytes() == _checksum(content)
    )


def _checksum(content: bytes | np.ndarray) -> bytes:
    """Compute the CRC-32C as TFRecord stores it: rotated, plus a constant."""
    crc = google_crc32c.value(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
