"""Layer: a stack of recurrent layers."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.lstm import LSTM
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

CELLS = {"lstm": LSTM, "gru": keras.layers.GRU}


@keras.saving.register_keras_serializable("kerasep")
class RecurrentStack(Arguments, keras.layers.Layer):
    """LSTM or GRU layers over frames, with dropout between them.

    On a GPU they run as cuDNN kernels (Keras has none for a GRU on JAX). These kernels take only
    float32, so the stack computes in float32 under any mixed-precision policy and returns the
    policy's type. They do not allow dropout inside a layer, or other activations. On a CPU an LSTM
    of many units runs a small batch in `kerasep.ops.lstm`.

    A recurrent layer sees every frame from the start of the sequence. `units` is the size of its
    memory, not a number of frames.

    Args:
        units: units of each direction. A bidirectional layer returns `2 * units` features. (In
            papers "600 units" may mean 600 or 300 per direction.)
        layers: number of layers. Defaults to 1.
        bidirectional: whether every layer also runs backwards in time; if not, the stack is causal.
            Defaults to True.
        dropout: fraction of features set to zero between layers in training. There is none after
            the last layer. Defaults to 0.
        cell: "lstm" or "gru". Defaults to "lstm".
        residual: whether to add each layer's input to its output, from the second layer on, and at
            the first if its input and output have the same number of features. Defaults to False.
        skip: whether to concatenate the stack's input in front of its output. Defaults to False.
        return_state: whether to return the state after the last frame too. For one direction only.
            Defaults to False.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        x: `(batch, frames, features)`.
        state: `(batch, states, units)`, for one direction only. An LSTM has two states per layer
            (output and memory), a GRU one. Defaults to zeros, the start of a sequence. With the
            state after one block, the next block is computed as in the whole sequence.

    Output shape:
        `(batch, frames, units)`, or `2 * units` if bidirectional, plus the input's features with
        `skip`. With `return_state`, a tuple of that and the float32 state.

    Raises:
        InputError: for units or layers below 1, dropout outside 0 to 1, an unknown cell, or a state
            for a bidirectional stack.

    Example:
    >>> import numpy as np
    >>> x = np.random.randn(1, 8, 3).astype("float32")
    >>> tuple(RecurrentStack(8, layers=2)(x).shape)
    (1, 8, 16)
    >>> stack = RecurrentStack(8, layers=2, bidirectional=False, cell="gru", return_state=True)
    >>> whole, _ = stack(x)
    >>> first, state = stack(x[:, :3])
    >>> rest, _ = stack(x[:, 3:], state=state)
    >>> again = keras.ops.concatenate([first, rest], axis=1)
    >>> bool(keras.ops.max(keras.ops.abs(again - whole)) < 1e-5)
    True

    Reference:
        Hochreiter and Schmidhuber 1997, "Long short-term memory"; Cho et al. 2014, "Learning phrase
        representations using RNN encoder-decoder for statistical machine translation" (GRU).
    """

    def __init__(
        self,
        units: int,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        cell: str = "lstm",
        residual: bool = False,
        skip: bool = False,
        return_state: bool = False,
        **kwargs: Any,
    ) -> None:
        # No cast of inputs: a state would lose precision from block to block.
        super().__init__(autocast=False, **kwargs)
        if units < 1 or layers < 1 or not 0 <= dropout < 1:
            raise InputError(
                f"received units={units}, layers={layers}, dropout={dropout}, expected at least "
                f"one unit and layer, and dropout from 0 to below 1"
            )
        if cell not in CELLS:
            raise InputError(f"received cell={cell!r}, expected {' or '.join(CELLS)}")
        if return_state and bidirectional:
            raise InputError(
                "received return_state=True for a bidirectional stack, expected one direction: "
                "what runs backwards starts at the end; set bidirectional=False"
            )
        self.cells = []
        originals: list[keras.layers.Layer] = []
        # Bidirectional copies its layer and drops it. While Keras loads a file, objects of the same
        # id count as the same object. So the dropped layers are kept: no later layer can get their
        # id. They are kept in a function, which Keras does not track.
        self.originals = lambda: originals
        for index in range(layers):
            layer = CELLS[cell](
                units,
                return_sequences=True,
                return_state=return_state,
                dtype="float32",
                name=f"{cell}_{index}",
            )
            if bidirectional:
                originals.append(layer)
                layer = keras.layers.Bidirectional(layer, dtype="float32", name=f"b{cell}_{index}")
            self.cells.append(layer)
        self.drop = keras.layers.Dropout(dropout, dtype="float32", name="dropout")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layers inside."""
        width = self.units * (2 if self.bidirectional else 1)
        for cell in self.cells:
            cell.build(input_shape)
            input_shape = (*input_shape[:-1], width)
        self.drop.build(input_shape)

    def call(
        self, x: Tensor, state: Tensor | None = None, training: bool | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Run over `(batch, frames, features)`, starting from a state."""
        parts = self._parts(state)
        inputs = x = keras.ops.cast(x, "float32")
        states = []
        for index, cell in enumerate(self.cells):
            before = x
            if index and self.dropout:
                x = self.drop(x, training=training)
            x = cell(x, initial_state=parts[index])
            if self.return_state:
                x, *after = x
                states += after
            if self.residual and x.shape[-1] == before.shape[-1]:
                x = x + before
        if self.skip:
            x = keras.ops.concatenate([inputs, x], axis=-1)
        x = keras.ops.cast(x, self.compute_dtype)
        return (x, keras.ops.stack(states, axis=1)) if self.return_state else x

    def _parts(self, state):
        """Return the part of a state for each layer, or None for each without a state."""
        if state is None:
            return [None] * self.layers
        count = 2 if self.cell == "lstm" else 1
        expected = (self.layers * count, self.units)
        if self.bidirectional or tuple(state.shape[1:]) != expected:
            raise InputError(
                f"received a state of shape {tuple(state.shape)}, expected (batch, "
                f"{expected[0]}, {expected[1]}) for a stack of one direction (bidirectional=False)"
            )
        state = keras.ops.cast(state, "float32")
        return [
            [state[:, index * count + number] for number in range(count)]
            for index in range(self.layers)
        ]

    def compute_output_spec(
        self, x: Tensor, state: Tensor | None = None, training: bool | None = None
    ) -> keras.KerasTensor | tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the shapes of the result and of the state."""
        self._parts(state)
        width = self.units * (2 if self.bidirectional else 1) + (x.shape[-1] if self.skip else 0)
        result = keras.KerasTensor((*x.shape[:-1], width), dtype=self.compute_dtype)
        count = self.layers * (2 if self.cell == "lstm" else 1)
        state = keras.KerasTensor((x.shape[0], count, self.units), dtype="float32")
        return (result, state) if self.return_state else result
