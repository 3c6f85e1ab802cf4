"""Walk through a model's graph in one step: each layer gets the block and its past."""

import dataclasses
from typing import NoReturn

import keras
import numpy as np
from keras import ops, tree

from kerasep.errors import InputError
from kerasep.system.keras_private import is_functional, run_through_graph

# The first numbers of a state: frames so far, which stop counting at a number no model lags behind,
# and frames still to come, ENDLESS until the end of a stream is known.
COUNTERS = 2
ENDLESS = 1e30
_FRAMES_COUNTED = 2.0**20
_SAME = 1e-3


@dataclasses.dataclass(frozen=True)
class Signal:
    """A tensor `(1, frames * n, ...)`, and its lag behind the input in frames."""

    tensor: object
    lag: int


class Walk:
    """One step of `frames` frames, in which the streaming forms of layers read and keep a state.

    `forms` maps a layer class to a function of (walk, layer, *arguments), with `Signal`s among the
    arguments, that returns `Signal`s. `state` is a tensor `(1, size)`, or None to find out its
    size. `twins` maps the id of a layer to the layer that its form built for it. `align` is the
    number of silent frames that the stream must start with, `before` the number of silent samples
    in front of the waveform, which frames of the model see.
    """

    def __init__(self, forms, frames, state, twins):
        self.forms = forms
        self.frames = frames
        self.state = state
        self.twins = twins
        self.align = 0
        self.before = 0
        self._recalled = 0
        self._kept = []
        counters = self.recall((1, COUNTERS))
        self.begin, self.left = counters[:, :1], counters[:, 1:]
        begin = ops.minimum(self.begin + frames, _FRAMES_COUNTED)
        self.keep(ops.concatenate([begin, self.left - frames], axis=1))

    def recall(self, shape):
        """Return the next part of the state, kept at the same place in the previous step."""
        size = int(np.prod(shape))
        start, self._recalled = self._recalled, self._recalled + size
        if self.state is None:
            return ops.zeros(shape, "float32")
        return ops.reshape(self.state[:, start : start + size], shape)

    def keep(self, tensor):
        """Keep a tensor for the next step. Tensors are kept in the order of `recall`."""
        self._kept.append(ops.reshape(ops.cast(tensor, "float32"), (1, -1)))

    def new_state(self):
        """Return everything that was kept, `(1, size)`."""
        return ops.concatenate(self._kept, axis=1)

    def past(self, x, length):
        """Prepend the last `length` rows of earlier steps to `(1, rows, ...)`."""
        if not length:
            return x
        x = ops.concatenate([self.recall((1, length, *x.shape[2:])), x], axis=1)
        self.keep(x[:, x.shape[1] - length :])
        return x

    def carry(self, x, rows):
        """Add what earlier steps left over to `x`; return its first `rows`, and keep the rest."""
        rest = x.shape[1] - rows
        if not rest:
            return x
        width = int(np.prod(x.shape[2:]))
        left_over = self.recall((1, rest * width))
        x = x + ops.reshape(ops.pad(left_over, [[0, 0], [0, rows * width]]), x.shape)
        self.keep(x[:, rows:])
        return x[:, :rows]

    def valid(self, lag):
        """Return `(1, frames)`: 1 for frames of the stream, 0 before its start or after its end."""
        place = ops.convert_to_tensor(np.arange(self.frames, dtype="float32")[None] - lag)
        begun = ops.clip(self.begin + place + 1, 0, 1)
        return begun * ops.clip(self.left - place, 0, 1)

    def delayed(self, signal, lag):
        """Delay a signal to a larger lag."""
        x, more = signal.tensor, lag - signal.lag
        if not more:
            return signal
        rows = x.shape[1]
        joined = self.past(x, more * rows // self.frames)
        return Signal(joined[:, :rows], lag)

    def twin(self, layer, build):
        """Return the layer that a form builds for a layer, the same one in every step."""
        if id(layer) not in self.twins:
            self.twins[id(layer)] = build()
        return self.twins[id(layer)]

    def run(self, model, *signals):
        """Apply a Functional model; `Signal`s in, `Signal`s out."""
        outputs = run_through_graph(model, list(signals), self.apply)
        return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs

    def apply(self, operation, *args, **kwargs):
        """Apply a layer or an operation: by its form, through its graph, or as it is."""
        form = self.forms.get(type(operation))
        if form is not None:
            return form(self, operation, *args, **kwargs)
        if is_functional(operation):
            return self.run(operation, *tree.flatten((args, kwargs)))
        return self.plain(operation, *args, **kwargs)

    def plain(self, operation, *args, **kwargs):
        """Apply an operation that looks at each frame alone, as it is."""
        signals = [item for item in tree.flatten((args, kwargs)) if isinstance(item, Signal)]
        lag = max((signal.lag for signal in signals), default=0)
        args, kwargs = tree.map_structure(
            lambda item: self.delayed(item, lag).tensor if isinstance(item, Signal) else item,
            (args, kwargs),
        )
        outputs = operation(*args, **kwargs)
        if self.state is None:
            _check_frame_by_frame(operation, args, kwargs, outputs)
        return tree.map_structure(lambda y: Signal(y, lag), outputs)


def raise_cannot_stream(layer, reason) -> NoReturn:
    """Raise `InputError` for a model that cannot stream because of one of its layers."""
    raise InputError(
        f"received a model that cannot stream: its layer {layer.name} ({type(layer).__name__}) "
        f"{reason}, expected a causal one, such as open_unmix_like/causal, "
        f"mask_inference_like/enhancement, dtln_like, gtcrn_like, tasnet_like/lstm, "
        f"conv_tasnet_like/causal, dprnn_like/causal or hs_tasnet_like"
    )


def _check_frame_by_frame(operation, args, kwargs, outputs):
    """Raise if an operation returns something else for two halves than for the whole."""

    def half(which):
        def cut(item):
            if not keras.ops.is_tensor(item) or len(item.shape) < 2:
                return item
            middle = item.shape[1] // 2
            return item[:, middle:] if which else item[:, :middle]

        return operation(*tree.map_structure(cut, args), **tree.map_structure(cut, kwargs))

    try:
        halves = [tree.flatten(half(which)) for which in (0, 1)]
    except (ValueError, TypeError, RuntimeError, InputError):
        raise_cannot_stream(operation, "does not accept a part of its frames")
    for whole, *parts in zip(tree.flatten(outputs), *halves, strict=True):
        whole = ops.convert_to_numpy(whole)
        parts = np.concatenate([ops.convert_to_numpy(part) for part in parts], axis=1)
        scale = np.abs(whole).max(initial=1e-6)
        if whole.shape != parts.shape or np.abs(whole - parts).max(initial=0.0) > _SAME * scale:
            raise_cannot_stream(operation, "looks at other frames than the present one")
