"""The list of callbacks of a fit that does not wait for the device at every batch."""

import keras


class CallbackList(keras.callbacks.CallbackList):
    """Keras' list, with the logs of the batch before at the end of a batch.

    Keras reads the logs of each batch before it starts the next one, and the device stands still
    until it does. What the batch before has computed is there by then. The first batch of an epoch
    or a validation has its own logs.
    """

    def on_epoch_begin(self, epoch, logs=None):
        """Forget the last epoch."""
        self._before = None
        super().on_epoch_begin(epoch, logs)

    def on_test_begin(self, logs=None):
        """Forget the last validation."""
        self._before = None
        super().on_test_begin(logs)

    def on_train_batch_end(self, batch, logs=None):
        """Call the callbacks."""
        super().on_train_batch_end(batch, self._exchange(logs))

    def on_test_batch_end(self, batch, logs=None):
        """Call the callbacks."""
        super().on_test_batch_end(batch, self._exchange(logs))

    def _exchange(self, logs):
        before, self._before = self._before, logs
        return logs if before is None else before
