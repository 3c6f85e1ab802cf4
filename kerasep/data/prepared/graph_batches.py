"""The batches of an epoch, read and mixed in the graph from end to end."""

import numpy as np
import tensorflow as tf

from kerasep.data.prepared.graph_draws import (
    training_crops,
    training_draw,
    validation_crops,
    validation_draw,
)
from kerasep.errors import InputError
from kerasep.system.names import one_line

_SPARE = 8  # crops at hand for each that may be damaged


def graph_batches(
    crops,
    slots,
    mixer,
    data,
    *,
    batch_size,
    training,
    crops_per_track,
    remix,
    gain,
    swap,
    seed,
    part,
):
    """Make the batches of an epoch.

    Args:
        crops: How crops are found and read: `ShardCrops`, or something like it.
        slots: For each group that is read the number of its source, or of what is none.
        mixer: The `Mixer` for that.
        data: What is read, for messages.
        batch_size: As for `kerasep.data.waveforms`, and so on.
        training: Likewise.
        crops_per_track: Likewise.
        remix: Likewise.
        gain: Likewise.
        swap: Likewise.
        seed: Likewise.
        part: Likewise.

    Returns:
        How many batches an epoch has, and a function of the number of an epoch and of a batch that
        gives a tf.data.Dataset of the epoch's batches from that one on. With `count` it has so many
        and reads no crop of others.

    Raises:
        InputError: An epoch has no batch.
    """
    if training:
        order = training_crops(crops.lengths, crops.rows, crops.tracks, crops_per_track)
        draw = training_draw(crops, order, max(slots) + 1, remix, gain, swap, seed)
        steps = len(order) // batch_size
    else:
        order, starts = validation_crops(crops.lengths, crops.rows)
        draw = validation_draw(order, starts, max(slots) + 1)
        steps = -(-len(order) // batch_size)
    if not steps:
        raise InputError(
            f"received batch_size={batch_size}, training={training}, but {data} has {len(order)} "
            "such crops: lower batch_size or raise crops_per_track"
        )
    number, parts = part
    share = batch_size // parts
    mine = np.flatnonzero(np.arange(len(order)) % batch_size // share == number)

    def requests(epoch, chosen):
        """List where the groups of some crops lie, and how they are mixed."""
        drawn = {
            name: tf.gather(tf.gather(value, chosen), slots, axis=1)
            for name, value in draw(epoch).items()
        }
        places = crops.locate(drawn["segment"], drawn["start"])
        return places, mixer.matrices(drawn["gain"] * places.pop("scale"), drawn["swap"])

    def read(epoch, chosen):
        asked = tf.data.Dataset.from_tensor_slices(requests(epoch, chosen))
        return asked.interleave(crops.read, cycle_length=8, num_parallel_calls=2)

    def epoch_of_batches(epoch, step, count=None):
        first, spare = step * share, tf.constant(len(order) + mine)
        if count is None:
            crops_of_all = read(epoch, tf.concat([tf.constant(mine)[first:], spare], 0))
            kept = len(mine) - first
        else:
            # Apart, so that those in place of damaged ones are read only when they are needed.
            kept = count * share
            others = tf.roll(spare, -first, 0)[: _SPARE * kept]
            crops_of_all = read(epoch, tf.constant(mine)[first : first + kept])
            crops_of_all = crops_of_all.concatenate(read(epoch, others))
        options = tf.data.Options()
        options.deterministic = True
        whole = _whole(crops_of_all, data).take(tf.cast(kept, tf.int64))
        whole = whole.batch(share, drop_remainder=training)
        return whole.map(mixer.mix, num_parallel_calls=2).with_options(options)

    return steps, epoch_of_batches


def _whole(examples, data):
    """Leave out crops that could not be read, with a line for each; raise when there are no more.

    Args:
        examples: Dataset of what `crops.read` gives.
        data: What is read, for messages.

    Returns:
        A tf.data.Dataset of (`content`, `extra`).
    """

    def count(skipped, example):
        whole = tf.reduce_all(example["whole"])

        def warn():
            what = example["what"][tf.argmin(tf.cast(example["whole"], tf.int32))]
            number = tf.strings.as_string(skipped + 1)
            line = ["kerasep: ", what, " cannot be read: another crop is taken, number ", number]
            tf.print(tf.strings.join([*line, " of this epoch; run kerasep prepare again"]))
            return skipped + 1

        skipped = tf.cond(whole, lambda: skipped, warn)
        return skipped, (example["content"], example["extra"], whole)

    def refuse(_):
        message = (
            f"InputError: {one_line(data)}: most crops cannot be read: run kerasep prepare again"
        )
        with tf.control_dependencies([tf.debugging.Assert(False, [message])]):
            return tuple(tf.zeros(spec.shape, spec.dtype) for spec in left.element_spec)

    counted = examples.scan(tf.constant(0), count)
    left = counted.filter(lambda content, extra, whole: whole)
    left = left.map(lambda content, extra, whole: (content, extra))
    return left.concatenate(tf.data.Dataset.range(1).map(refuse))
