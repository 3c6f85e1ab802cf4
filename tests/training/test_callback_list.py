"""Callbacks get a batch's logs one batch later, and the epoch's own at its end."""

import keras
import numpy as np
import tensorflow as tf

from kerasep.training.callback_list import CallbackList


class Record(keras.callbacks.Callback):
    """Keeps the loss of each call."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("batch", batch, logs["loss"]))

    def on_test_batch_end(self, batch, logs=None):
        self.calls.append(("test", batch, logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch", epoch, logs["loss"]))


def fit(callbacks_of):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    inputs = np.arange(6, dtype="float32")[:, None]
    batches = tf.data.Dataset.from_tensor_slices((inputs, 0 * inputs)).batch(2)
    record = Record()
    callbacks = callbacks_of(record, model)
    options = {"epochs": 2, "verbose": 0, "shuffle": False}
    model.fit(batches, validation_data=batches, callbacks=callbacks, **options)
    return record.calls, model.history.history


def test_batches_have_the_logs_of_the_one_before():
    def delayed(record, model):
        return CallbackList([record], add_history=True, model=model, epochs=2, steps=3)

    ours, history = fit(delayed)
    keras_own, keras_history = fit(lambda record, model: [record])
    # Squares of 0 to 5 in pairs: running means of 0.5, 6.5 and 20.5.
    means = np.cumsum([0.5, 6.5, 20.5]) / [1, 2, 3]
    epoch = [("batch", index, mean) for index, mean in enumerate(means)]
    epoch += [("test", index, mean) for index, mean in enumerate(means)]
    for number in (0, 1):
        assert keras_own[7 * number :][:7] == [
            *[(kind, index, np.float32(mean)) for kind, index, mean in epoch],
            ("epoch", number, np.float32(means[-1])),
        ]
    before = [0, 0, 1, 3, 3, 4, 6]
    assert [call[:2] for call in ours] == [call[:2] for call in keras_own]
    for number in (0, 7):
        for index, source in enumerate(before):
            assert ours[number + index][2] == keras_own[number + source][2]
    assert history == keras_history
