"""Logs for TensorBoard in a folder of any name."""

import os

import keras


class TensorBoard(keras.callbacks.TensorBoard):
    """The callback of Keras, also for a folder whose name is not UTF-8.

    TensorFlow takes such a name as bytes alone.
    """

    def set_model(self, model):
        """Name the folders for the values of training and validation."""
        super().set_model(model)
        self._train_dir = os.fsencode(self._train_dir)
        self._val_dir = os.fsencode(self._val_dir)
