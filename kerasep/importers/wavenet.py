"""Checkpoints of the Wavenet for source separation into `kerasep.models.WavenetLike`."""

import os
import pathlib
import re
from collections.abc import Iterator

import h5py
import numpy as np

from kerasep.errors import InputError
from kerasep.files import hdf5_headers
from kerasep.importers import weight_map
from kerasep.importers.weight_map import Slot, reshaped, same
from kerasep.models import WavenetLike

_MODEL, _OPTIMIZER = "model_weights/", "optimizer_weights/"  # in a file of both
_NUMBERED = re.compile(r"conv1d_(\d{1,9})")
_ADVICE = "load the preset with as many sources: wavenet_like/singing has 2, multi_instrument 4"


def weights(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read the weights from a checkpoint.

    Args:
        path: an `.hdf5` file of a model or of weights alone that Keras 2 wrote.

    Returns:
        A dict from the name of a layer and its weight, such as "conv1d_43/bias", to an array.

    Raises:
        InputError: if there is no file, or it is damaged.

    Example:
    >>> weights("checkpoint.hdf5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received checkpoint.hdf5, which is not a file: give the path ...
    """
    if not pathlib.Path(path).is_file():
        raise InputError(
            f"received {path}, which is not a file: give the path of Wavenet's .hdf5 file"
        )
    names = {}
    for name in hdf5_headers.shapes(path):
        if not name.startswith(_OPTIMIZER):
            parts = name.removeprefix(_MODEL).split("/")
            names[f"{parts[0]}/{parts[-1].removesuffix(':0')}"] = name
    with h5py.File(path, "r") as file:
        return {short: file[name][()] for short, name in names.items()}


def load(model: WavenetLike, path: str | os.PathLike, flip_kernels: bool = False) -> WavenetLike:
    """Set a model's weights from a checkpoint of its authors' code.

    The authors keep two checkpoints, trained on MUSDB18, under the MIT licence in the repository
    github.com/francesclluis/source-separation-wavenet, below sessions/. `git hash-object FILE`
    prints 2088145d7a6dad8bbadff6adb44f1a683e977085 for singing-voice and
    3b63e9ab9ec8f6e26f98c6c1fc311079e7588c6c for multi-instrument.

    They were trained on Keras 2 with Theano, which correlates as the other backends do. Kernels of
    Theano that convolve, as Keras 1 wrote them, are reversed in time. The file does not say which
    kind it holds: if estimates of real music are noise, use `flip_kernels`.

    Args:
        model: a `kerasep.models.WavenetLike`.
        path: as for `weights`.
        flip_kernels: whether the kernels in the file are reversed in time. Defaults to False.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds another model: it names the weights
            missing, not expected and of another shape.

    Example:
    >>> load(WavenetLike(filters=4, blocks=2), "checkpoint.hdf5")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received checkpoint.hdf5, which is not a file: give the path ...
    """
    weight_map.check_class(model, WavenetLike)
    state = weights(path)
    if flip_kernels:
        state = {name: value[::-1] if value.ndim == 3 else value for name, value in state.items()}
    weight_map.assign(path, _slots(model, state), state, _ADVICE)
    model.trained = True
    return model


def _slots(model, state) -> Iterator[Slot]:
    """Map all weights. Keras 2 numbered layers without a name, on from those built before."""
    blocks = model.blocks * model.repeats
    numbers = {int(match[1]) for name in state if (match := _NUMBERED.match(name))}
    first = min(numbers, default=1)
    numbered = (f"conv1d_{number}" for number in range(first, first + blocks + 3))

    yield same("initial_causal_conv/kernel", model.get_layer("input_conv").kernel)
    for block in range(blocks):
        repeat, power = divmod(block, model.blocks)
        name = f"res_{block + 1}_dilated_conv_d{2**power}_s{repeat}"
        yield same(f"{name}/kernel", model.get_layer(f"block_{block}_conv").kernel)
        yield from _pointwise(next(numbered), model.get_layer(f"block_{block}_dense"))
    for layer in ("final_0", "final_1"):
        yield same(f"{next(numbered)}/kernel", model.get_layer(layer).kernel)
    yield from _pointwise(next(numbered), model.get_layer("outputs"))


def _pointwise(name, layer):
    """Map a convolution of kernel size 1 to a dense layer."""
    yield reshaped(f"{name}/kernel", layer.kernel, (1, *layer.kernel.shape))
    if layer.use_bias:
        yield same(f"{name}/bias", layer.bias)
