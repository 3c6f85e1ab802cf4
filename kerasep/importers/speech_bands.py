"""Slots of the modules that GTCRN and UL-UNAS share."""

import os
from collections.abc import Iterator

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_state_dict, without_buffers
from kerasep.importers.weight_map import Slot
from kerasep.layers import CausalConv2D, FrequencyAttention, GroupedGRU, TemporalAttention
from kerasep.ops import erb_filterbank

_FILTERS = ("erb.erb_fc.weight", "erb.ierb_fc.weight")
_ROUNDING = 1e-6
ADVICE = "use the preset that the file was trained for"


def weights(model: keras.Model, path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read a checkpoint's trained weights, and check that its fixed filters are the model's.

    Args:
        model: a model with the arguments n_fft, sample_rate, low and bands.
        path: a `.tar` file of PyTorch.

    Returns:
        A dict from name to array.

    Raises:
        InputError: if the file cannot be read, or merges other bins into bands.
    """
    state = without_buffers(read_state_dict(path))
    filters = erb_filterbank(model.n_fft, model.sample_rate, model.low, model.bands)
    for name, expected in zip(_FILTERS, (filters.T, filters), strict=True):
        received = state.pop(name, None)
        if received is None or received.shape != expected.shape:
            shape = "no array" if received is None else received.shape
            raise InputError(
                f"received {path} with {shape} {name}, expected {expected.shape}: {ADVICE}"
            )
        if not np.allclose(received, expected, atol=_ROUNDING):
            raise InputError(f"received {path} with other filters in {name}: {ADVICE}")
    return state


def convolution(name: str, layer: CausalConv2D, transposed: bool = False) -> Iterator[Slot]:
    """Map `Conv2d`, or the flipped `ConvTranspose2d` with groups, to `CausalConv2D`.

    Args:
        name: the module's name.
        layer: a built layer.
        transposed: whether the module is a `ConvTranspose2d`. Defaults to False.
    """
    frames, bands, inputs, outputs = layer.kernel.shape
    groups = layer.groups

    def flipped(value):
        value = value.reshape(groups, inputs, outputs // groups, frames, bands)
        value = value[..., ::-1, ::-1].transpose(3, 4, 1, 0, 2)
        return value.reshape(frames, bands, inputs, outputs)

    if transposed:
        shape = (groups * inputs, outputs // groups, frames, bands)
        yield Slot((f"{name}.weight",), (shape,), layer.kernel, flipped)
    else:
        yield weight_map.transposed(f"{name}.weight", layer.kernel, (2, 3, 1, 0))
    yield weight_map.same(f"{name}.bias", layer.bias)


def gru(name: str, layer: GroupedGRU, group: int = 0) -> Iterator[Slot]:
    """Map PyTorch's `GRU` of one layer to a group of `GroupedGRU`.

    PyTorch's gates come in the order reset, update, new; Keras' update comes first.

    Args:
        name: the module's name.
        layer: a built layer.
        group: index of the group. Defaults to 0.
    """
    suffixes = ("", "_reverse") if layer.bidirectional else ("",)
    for suffix, cell in zip(suffixes, layer.cells[group :: layer.groups], strict=True):
        kernels = {"ih": cell.kernel, "hh": cell.recurrent_kernel}
        for part, kernel in kernels.items():
            shape = tuple(kernel.shape[::-1])
            names = (f"{name}.weight_{part}_l0{suffix}",)
            yield Slot(names, (shape,), kernel, lambda value: _update_first(value).T)
        biases = tuple(f"{name}.bias_{part}_l0{suffix}" for part in kernels)
        shape = tuple(cell.bias.shape[1:])
        yield Slot(
            biases,
            (shape, shape),
            cell.bias,
            lambda *values: np.stack([*map(_update_first, values)]),
        )


def dual_path(name: str, model: keras.Model, ours: str) -> Iterator[Slot]:
    """Map `DPGRNN` to the layers of `kerasep.models.speech_bands.dual_path`.

    Args:
        name: the module's name.
        model: the model.
        ours: name of the part in the model.
    """
    for theirs, over in (("intra", "bands"), ("inter", "frames")):
        recurrent = model.get_layer(f"{ours}_{over}")
        for group in range(recurrent.groups):
            yield from gru(f"{name}.{theirs}_rnn.rnn{group + 1}", recurrent, group)
        yield from weight_map.dense(f"{name}.{theirs}_fc", model.get_layer(f"{ours}_{over}_dense"))
        norm = model.get_layer(f"{ours}_{over}_norm")
        yield weight_map.same(f"{name}.{theirs}_ln.weight", norm.gamma)
        yield weight_map.same(f"{name}.{theirs}_ln.bias", norm.beta)


def attention(
    recurrent: str, dense: str, layer: TemporalAttention | FrequencyAttention
) -> Iterator[Slot]:
    """Map a GRU and a `Linear` to an attention layer.

    Args:
        recurrent: name of the GRU.
        dense: name of the `Linear`.
        layer: a built layer.
    """
    yield from gru(recurrent, layer.recurrent)
    yield from weight_map.dense(dense, layer.gate)


def _update_first(value):
    """Order the gates reset, update, new as update, reset, new."""
    reset, update, new = np.split(value, 3)
    return np.concatenate([update, reset, new])
