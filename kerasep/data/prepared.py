"""Batches from prepared shards: read, cropped, mixed and scaled by TensorFlow's own operations.

Records are found by their offsets, so an epoch is a true permutation of its crops: there is no
shuffle buffer, and of the files no more is read than the crops need and a second beside them.
"""

import json
from pathlib import Path

import tensorflow as tf

from kerasep.data import shards
from kerasep.data.shard_crops import ShardCrops, whole
from kerasep.data.shard_draws import training_draw, validation_draw
from kerasep.data.shard_mixing import mixing_matrices, side_by_side
from kerasep.data.statistics import Statistics
from kerasep.errors import InputError


def is_prepared(data):
    """Tell a folder of shards from other data.

    Args:
        data: What `waveforms` and `spectrograms` take.

    Returns:
        Whether it is such a folder.

    Raises:
        InputError: It is one whose preparation was not finished.
    """
    if not isinstance(data, str | Path):
        return False
    if (Path(data) / shards.INDEX).is_file():
        return True
    if (Path(data) / shards.PLAN).is_file():
        raise InputError(f"{data} is not prepared to its end: run the same kerasep prepare again")
    return False


def holds_spectrograms(folder):
    """Tell whether a prepared folder has spectrograms, not waveforms."""
    return read_index(folder)["settings"]["format"] == "spectrogram"


def holds_validation(folder):
    """Tell whether a prepared folder has tracks to validate on."""
    return any(shard["segments"] for shard in read_index(folder)["valid"]["shards"])


def read_index(folder):
    """Read the index of a prepared folder.

    Args:
        folder: The folder.

    Returns:
        A dict: see `kerasep.data.shards.finish`.

    Raises:
        InputError: It is damaged, or of another release.
    """
    path = Path(folder) / shards.INDEX
    try:
        index = json.loads(path.read_text("utf-8"))
        layout = index["layout"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: run the same kerasep prepare again") from error
    if layout != shards.LAYOUT:
        raise InputError(
            f"{path} has layout {layout}, expected {shards.LAYOUT}: it was written by kerasep "
            f"{index.get('kerasep')}, prepare the tracks anew"
        )
    return index


def statistics(folder, model):
    """Statistics of the training tracks' mixtures, in place of a pass over them.

    Args:
        folder: A prepared folder.
        model: A model with `stft`.

    Returns:
        A list of one batch (magnitude, None) to give to `model.adapt`: mean and deviation of every
        bin are those of all training mixtures as recorded. None where the folder was prepared with
        another transform or none.
    """
    index = read_index(folder)
    stored = index["train"]["statistics"]
    if not stored or index["settings"]["stft"] != shards.transform_of(model):
        return None
    return [(Statistics.from_json(stored).stand_in(model.channels), None)]


def waveforms(folder, model, **options):
    """Batches of mixtures and their sources: `kerasep.data.waveforms` of a prepared folder.

    Args:
        folder: The prepared folder.
        model: Anything with `sources`, `sample_rate` and `channels`.
        **options: As `kerasep.data.waveforms` has them, but for those that need the files.

    Returns:
        A tf.data.Dataset of (mixture, sources).

    Raises:
        InputError: The folder and the model do not fit, or an option is out of range.
    """
    settings = read_index(folder)["settings"]
    if settings["format"] == "spectrogram":
        raise InputError(
            f"{folder} holds spectrograms, the model takes waveforms: prepare it with --format "
            "int16 or float16"
        )
    stored_type = tf.as_dtype(settings["format"])

    def mix(content, matrices, rows):
        numbers = side_by_side(content, stored_type, rows, model.channels)
        sources = tf.reshape(
            matrices[:, :, :, 1:], (-1, numbers.shape[-1], model.channels * len(model.sources))
        )
        return tf.matmul(numbers, matrices[:, :, :, 0, 0]), tf.reshape(
            tf.matmul(numbers, sources), (-1, rows, model.channels, len(model.sources))
        )

    return _batches(folder, model, mix, 1, **options)


def spectrograms(folder, model, **options):
    """Batches of references from a folder prepared as spectrograms.

    Args:
        folder: A folder prepared as spectrograms.
        model: Anything with `sources`, `sample_rate`, `channels` and `stft`.
        **options: As for `waveforms`.

    Returns:
        A tf.data.Dataset of what `kerasep.data.spectrograms` calls the reference,
        `(batch, frames, bins, channels, 1 + sources, 2)`.

    Raises:
        InputError: As `waveforms`.
    """
    settings, wanted = read_index(folder)["settings"], shards.transform_of(model)
    if settings["stft"] != wanted:
        raise InputError(
            f"{folder} holds spectrograms of {settings['stft']}, the model takes {wanted}: prepare "
            "it for this model, or with --format int16 for any"
        )
    bins = settings["row_shape"][0]

    def mix(content, matrices, rows):
        numbers = side_by_side(content, tf.float16, rows * bins, 2 * model.channels)
        mixed = tf.matmul(
            numbers,
            tf.reshape(
                matrices, (-1, numbers.shape[-1], 2 * model.channels * (1 + len(model.sources)))
            ),
        )
        return tf.reshape(mixed, (-1, rows, bins, model.channels, 1 + len(model.sources), 2))

    return _batches(folder, model, mix, 2, **options)


def _batches(
    folder,
    model,
    mix,
    parts,
    *,
    batch_size=16,
    crop_seconds=6.0,
    training=True,
    crops_per_track=None,
    remix=0.5,
    gain=(0.25, 1.25),
    swap=True,
    seed=0,
    first_epoch=0,
    first_step=0,
):
    """Batches of what `mix` makes of bytes, matrices, and how many rows a crop has."""
    index = read_index(folder)
    settings, part = index["settings"], index["train" if training else "valid"]
    slots = _slots(folder, settings, model)
    rows = shards.rows(settings, round(crop_seconds * model.sample_rate))
    crops = ShardCrops(folder, settings, part["shards"], rows)
    if training:
        order = crops.for_training(crops_per_track)
        swap = swap and model.channels == 2
        draw = training_draw(crops, order, max(slots) + 1, remix, gain, swap, seed)
        steps = len(order) // batch_size
    else:
        order, starts = crops.for_validation()
        draw = validation_draw(order, starts, max(slots) + 1)
        steps = -(-len(order) // batch_size)
    if not steps:
        raise InputError(
            f"received batch_size={batch_size}, training={training}, but the {len(order)} crops "
            f"for that in {folder} fill no batch: lower batch_size, or prepare more tracks"
        )
    if first_epoch < 0 or not 0 <= first_step < steps:
        raise InputError(
            f"received first_epoch={first_epoch}, first_step={first_step}: expected a number from "
            f"0 on, and one of the {steps} batches of an epoch"
        )

    def requests(epoch):
        """List where the groups of every example lie, and how they are mixed."""
        drawn = {name: tf.gather(value, slots, axis=1) for name, value in draw(epoch).items()}
        places = crops.locate(drawn["segment"], drawn["start"])
        gains = drawn["gain"] * places.pop("scale")
        sources, channels = len(model.sources), model.channels
        return places, mixing_matrices(gains, drawn["swap"], slots, sources, channels, parts)

    def batches(epoch, step):
        """Give an epoch's batches from a step on."""
        asked = tf.data.Dataset.from_tensor_slices(requests(epoch)).skip(step * batch_size)
        examples = asked.interleave(
            crops.read, cycle_length=8, num_parallel_calls=2, deterministic=True
        )
        examples = whole(examples, folder, crops.files).take(len(order) - step * batch_size)
        return examples.batch(batch_size, drop_remainder=training).map(
            lambda content, matrices: mix(content, matrices, rows),
            num_parallel_calls=2,
            deterministic=True,
        )

    dataset = _passes(first_epoch, first_step).flat_map(batches)
    if not first_step:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return dataset.prefetch(1)


def _slots(folder, settings, model):
    """Tell for every stored group to which source of the model it belongs, or to the rest."""
    for name in ("sample_rate", "channels"):
        if settings[name] != getattr(model, name):
            raise InputError(
                f"{folder} was prepared with {name} {settings[name]}, the model has "
                f"{getattr(model, name)}: prepare it for this model"
            )
    stored = [*settings["sources"], *(["rest"] if settings["rest"] else [])]
    belongs = dict.fromkeys(stored, len(model.sources))
    for slot, source in enumerate(model.sources):
        names = {source} & set(settings["sources"])
        if source == "accompaniment" and not names and "vocals" in settings["sources"]:
            names = set(stored) - {"vocals"}
        if not names or any(belongs[name] != len(model.sources) for name in names):
            raise InputError(
                f"{folder} was prepared with {', '.join(settings['sources'])}, the model's sources "
                f"are {', '.join(model.sources)}: prepare it for this model"
            )
        belongs |= dict.fromkeys(names, slot)
    return list(belongs.values())


def _passes(first_epoch, first_step):
    """Count the passes over a dataset: each is an epoch's number, and the step it starts at."""
    with tf.init_scope(), tf.device("CPU"):
        begun = tf.Variable(0, dtype=tf.int64, trainable=False)

    def next_pass(_):
        number = begun.assign_add(1) - 1
        return first_epoch + number, tf.where(number == 0, tf.constant(first_step, tf.int64), 0)

    return tf.data.Dataset.range(1).map(next_pass)
