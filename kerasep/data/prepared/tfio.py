"""Audio files decoded in the graph by tensorflow-io, where its operations really run.

`kerasep.data.waveforms` does not use it. Only one file at a time is decoded rightly (see `_lock`):
soundfile with threads was measured to give four times as many crops a second, and the first batch
after 2 s, not 51. It is for graphs that must hold no Python, on TensorFlow 2.16.
"""

import functools
import os

import numpy as np
import soundfile
import tensorflow as tf

from kerasep.data.audio.audio_info import native
from kerasep.data.datasets.pools import is_pool
from kerasep.data.prepared.graph_batches import graph_batches
from kerasep.data.prepared.graph_mixer import Mixer
from kerasep.data.sampling.plans import chosen
from kerasep.errors import InputError
from kerasep.system import logs
from kerasep.system.names import one_line

log = logs.logger(__name__)

# What its decoder gives for each kind of file, seen by libsndfile's name for it. It takes 32-bit
# integers in WAV for floats, and others are beyond it.
_TYPES = {
    ("WAV", "PCM_16"): tf.int16,
    ("WAV", "PCM_24"): tf.int32,
    ("WAV", "FLOAT"): tf.float32,
    ("FLAC", "PCM_16"): tf.int16,
    ("FLAC", "PCM_24"): tf.int32,
    ("OGG", "VORBIS"): tf.float32,
    ("MP3", "MPEG_LAYER_III"): tf.float32,
}
_KINDS = (tf.int16, tf.int32, tf.float32)
_SCALES = {tf.int16: 2.0**-15, tf.int32: 2.0**-31, tf.float32: 1.0}
_NO_STEM = len(_KINDS)


@functools.cache
def available():
    """Tell whether tensorflow-io is there and runs, by running one of its operations.

    An import says nothing: beside TensorFlow 2.17 and later it succeeds, and every operation fails.

    Returns:
        Whether it runs. The log says which decoder is used, once.
    """
    try:
        import tensorflow_io

        tensorflow_io.audio.resample(tf.zeros((8, 1)), 2, 1)
    except ImportError:
        log.info("tensorflow-io is not installed: soundfile and PyAV decode audio files")
        return False
    except (NotImplementedError, AttributeError, tf.errors.OpError):
        log.warning(
            "tensorflow-io does not run beside TensorFlow %s (2.16 is what it is for): soundfile "
            "and PyAV decode audio files",
            tf.__version__,
        )
        return False
    log.info("tensorflow-io decodes audio files")
    return True


@functools.cache
def _lock():
    # The operation that opens a file keeps one reader for each node of a graph: two calls at once
    # would read from each other's files.
    with tf.init_scope():
        return tf.CriticalSection(name="kerasep_tensorflow_io")


def decode(path, kind, start, stop):
    """Decode a part of an audio file, in the graph.

    Args:
        path: String tensor.
        kind: Scalar integer tensor: the number of the file's type, see `kind_of`.
        start: First sample, a scalar int64 tensor.
        stop: The sample after the last.

    Returns:
        Float32 tensor `(samples, channels)`.

    Raises:
        tf.errors.OpError: The file cannot be read.
    """
    import tensorflow_io

    def as_type(dtype):
        def read():
            part = tensorflow_io.audio.AudioIOTensor(path, dtype=dtype)[start:stop]
            return tf.cast(part, tf.float32) * _SCALES[dtype]

        return read

    kind = tf.convert_to_tensor(kind)
    return _lock().execute(lambda: tf.switch_case(kind, [as_type(dtype) for dtype in _KINDS]))


def kind_of(path):
    """Number of the type that a file is decoded as.

    Args:
        path: The file.

    Returns:
        A number for `decode`, or None for a file that tensorflow-io does not read rightly.
    """
    try:
        header = soundfile.info(native(path))
    except (soundfile.LibsndfileError, TypeError):
        return None
    dtype = _TYPES.get((header.format, header.subtype))
    return None if dtype is None else _KINDS.index(dtype)


class FileCrops:
    """Crops of tracks whose files tensorflow-io reads, at the model's rate.

    Args:
        tracks: List of `Track`.
        model: Anything with `sources`, `sample_rate` and `channels`.
        rows: Samples of a crop.

    Raises:
        InputError: A file is beyond tensorflow-io, or has another rate.
    """

    def __init__(self, tracks, model, rows):
        self.rows, self.channels = rows, model.channels
        self.tracks = [track.name for track in tracks]
        rate = model.sample_rate
        self.lengths = np.array([round(track.duration * rate) for track in tracks], "int64")
        groups = [track.groups(model.sources) for track in tracks]
        most = [max(len(track[slot]) for track in groups) for slot in range(len(groups[0]))]
        self.slots = [slot for slot, count in enumerate(most) for _ in range(count)]
        rows_of = [
            [stem for slot, count in enumerate(most) for stem in _padded(track[slot], count)]
            for track in groups
        ]
        self.paths = np.array([[os.fsencode(s.path) if s else b"" for s in row] for row in rows_of])
        self.shown = np.array([[one_line(s.path) if s else "" for s in row] for row in rows_of])
        self.samples = np.array([[s.info.samples if s else 0 for s in row] for row in rows_of])
        kinds = [[_kind(stem, rate) if stem else _NO_STEM for stem in row] for row in rows_of]
        self.kinds = np.array(kinds, "int32")
        chosen = [[-1 if not s or s.channel is None else s.channel for s in row] for row in rows_of]
        self.chosen = np.array(chosen, "int32")

    def locate(self, segments, starts):
        """Find the files that crops need: see `ShardCrops.locate`."""
        columns = tf.range(segments.shape[1], dtype=tf.int64) + 0 * segments
        where = tf.stack([segments, columns], axis=-1)
        counts = tf.minimum(
            tf.cast(self.rows, tf.int64), tf.gather_nd(self.samples, where) - starts
        )
        kinds = tf.gather_nd(self.kinds, where)
        return {
            "where": where,
            "start": starts,
            "count": tf.maximum(counts, 0),
            "kind": tf.where(counts > 0, kinds, _NO_STEM),
            "chosen": tf.gather_nd(self.chosen, where),
            "scale": tf.ones_like(starts, tf.float32),
        }

    def read(self, places, extra):
        """Read all stems of a crop: see `ShardCrops.read`."""
        stems = [
            self._stem({name: value[column] for name, value in places.items()})
            for column in range(len(self.slots))
        ]
        return tf.data.Dataset.zip(tuple(stems)).map(
            lambda *stems: (
                {name: tf.stack([stem[name] for stem in stems]) for name in stems[0]}
                | {"extra": extra}
            )
        )

    def _stem(self, place):
        path = tf.gather_nd(self.paths, place["where"])
        shown = tf.gather_nd(self.shown, place["where"])
        silence = tf.zeros((self.rows, self.channels))

        def sound():
            stop = place["start"] + place["count"]
            part = decode(path, place["kind"], place["start"], stop)
            chosen = place["chosen"]
            part = tf.cond(chosen < 0, lambda: part, lambda: part[:, chosen : chosen + 1])
            if self.channels == 1:
                part = tf.reduce_mean(part, axis=1, keepdims=True)
            short = self.rows - tf.shape(part)[0]
            part = tf.pad(part + tf.zeros((1, self.channels)), [[0, short], [0, 0]])
            return tf.ensure_shape(part, silence.shape), tf.cast(short, tf.int64)

        def crop(_):
            nothing = tf.constant(self.rows, tf.int64)
            content, short = tf.cond(place["kind"] == _NO_STEM, lambda: (silence, nothing), sound)
            return {"content": content, "whole": short == self.rows - place["count"], "what": shown}

        missing = tf.data.Dataset.from_tensors({"content": silence, "whole": False, "what": shown})
        return tf.data.Dataset.range(1).map(crop).ignore_errors().concatenate(missing).take(1)


def batches(data, model, samples, **options):
    """Make the batches of an epoch of tracks, decoded in the graph where that can be done.

    Args:
        data: A folder or list of tracks.
        model: Anything with `sources`, `sample_rate` and `channels`.
        samples: Of a crop.
        **options: As of `kerasep.data.prepared.graph_batches.graph_batches`.

    Returns:
        What `graph_batches` returns; None where it takes Python: where tensorflow-io does not run,
        for files that it does not read or at another rate than the model's, and for a pool.
    """
    if is_pool(data) or not available():
        return None
    tracks = chosen(data, options.get("training", True))
    try:
        crops = FileCrops(tracks, model, samples)
    except InputError as reason:
        log.info("%s", reason)
        return None
    settings = {"format": "float32", "channels": model.channels, "row_shape": [model.channels]}
    mixer = Mixer(settings, samples, crops.slots, len(model.sources))
    return graph_batches(crops, crops.slots, mixer, data, **options)


def _padded(stems, count):
    return [*stems, *[None] * (count - len(stems))]


def _kind(stem, sample_rate):
    kind = kind_of(stem.path) if stem.stream == 0 else None
    if kind is None or stem.info.sample_rate != sample_rate:
        raise InputError(
            f"{stem.path} is beyond tensorflow-io here: soundfile and PyAV decode all files"
        )
    return kind
