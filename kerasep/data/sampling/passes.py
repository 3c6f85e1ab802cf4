"""Number the passes over a dataset, so that each has new crops."""

import tensorflow as tf


class Passes:
    """Numbers the passes over a dataset.

    A pass counts once its second batch (or its only one) is taken: Keras on JAX looks at a first
    batch before it trains, which must not count as an epoch.
    """

    def __init__(self, epoch, step, steps):
        self.epoch, self.step, self.steps = epoch, step, steps

    def start(self):
        """Yield epoch and first step of a pass that starts now."""
        yield self.epoch, self.step

    def counted(self, dataset):
        """Count the passes over a dataset: its last transformation."""

        def count(index, *batch):
            counting = tf.cond(
                index < 2,
                lambda: tf.numpy_function(self._taken, (index,), tf.int64, stateful=True),
                lambda: index,
            )
            with tf.control_dependencies([counting]):
                return tf.nest.map_structure(tf.identity, batch)

        options = tf.data.Options()
        # A batch that is prefetched behind the counting would count too early.
        options.experimental_optimization.inject_prefetch = False
        return (
            dataset.enumerate().map(lambda index, batch: count(index, *batch)).with_options(options)
        )

    def _taken(self, index):
        if index == min(1, self.steps - self.step - 1):
            self.epoch, self.step = self.epoch + 1, 0
        return index
