"""Demucs checkpoints of versions 1 and 2 into `kerasep.models.DemucsLike`."""

import os
from collections.abc import Sequence

from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_checkpoint
from kerasep.models import DemucsLike

SOURCES = ("drums", "bass", "other", "vocals")
# Settings that the shapes of weights do not show, and kerasep's names for them.
_ARGUMENTS = {"samplerate": "sample_rate", "stride": "stride", "resample": "resample"}
_FIXED = {"rewrite": True, "glu": True, "upsample": False}
_ADVICE = "build the matching model with kerasep.importers.demucs.build"


def load(model: DemucsLike, path: str | os.PathLike) -> DemucsLike:
    """Set a model's weights from a Demucs checkpoint.

    Args:
        model: a `kerasep.models.DemucsLike`, its sources in the file's order.
        path: a `.th` file of version 1 or 2, with weights alone or with the model's settings too.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, is quantised or of version 3, or holds the weights
            of another model: it names those missing, not expected and of another shape, and
            settings that differ.

    Example:
    >>> load(DemucsLike(filters=4, levels=2, lstm_layers=1), "demucs.th")
    Traceback (most recent call last):
    kerasep.errors.InputError: received demucs.th, which is not a file: give the path of a .pth file
    """
    weight_map.check_class(model, DemucsLike)
    if set(model.sources) == set(SOURCES) and tuple(model.sources) != SOURCES:
        raise InputError(
            f"received a model of {', '.join(model.sources)}, expected Demucs' own order, which is "
            f"in no file: build one of sources={list(SOURCES)}"
        )
    settings, state = _read(path)
    if settings is not None:
        hidden = {"resample": False, **_named(path, settings)}
        hidden.pop("sample_rate", None)  # no number depends on it
        weight_map.check_settings(path, model.get_config(), hidden, _ADVICE)
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def build(
    path: str | os.PathLike, sources: Sequence[str] | None = None, resample: bool | None = None
) -> DemucsLike:
    """Build the model that a Demucs checkpoint fits, with its weights.

    The mixture is normalised in the model; the original does that in its separation script. A
    stride that is not in the file is half the kernel size.

    Args:
        path: a `.th` file, as for `load`.
        sources: names of the sources, in the file's order. Defaults to drums, bass, other, vocals.
        resample: whether the network runs at twice the sample rate. Default: what the file says.
            Settings without it are of version 1, which does not resample; a file without settings
            is taken for version 2, which does.

    Returns:
        A `kerasep.models.DemucsLike`.

    Raises:
        InputError: as `load`, and for another number of sources.

    Example:
    >>> build("demucs.th")
    Traceback (most recent call last):
    kerasep.errors.InputError: received demucs.th, which is not a file: give the path of a .pth file
    """
    settings, state = _read(path)
    found = arguments(path, state)
    if settings is None:
        found["resample"] = True
    else:
        found = {"resample": False, **found, **_named(path, settings)}
    outputs = found.pop("outputs")
    sources = tuple(sources or SOURCES)
    if len(sources) * found["channels"] != outputs:
        raise InputError(
            f"{path} is of a model with {outputs} outputs, expected {len(sources)} sources of "
            f"{found['channels']} channels: pass their names in sources=[...]"
        )
    if resample is not None:
        found["resample"] = resample
    found["sources"] = sources
    model = weight_map.build(path, DemucsLike, found, state.values())
    weight_map.assign(path, _slots(model), state, _ADVICE)
    return model


def arguments(path: str | os.PathLike, state: dict) -> dict:
    """Return the arguments of the model that weights belong to, by their shapes.

    Args:
        path: the file, for the error.
        state: dict from name to numpy array.

    Returns:
        A dict of `channels`, `filters`, `levels`, `growth`, `kernel_size`, `stride`, `context`,
        `lstm_layers`, and `outputs`: sources times channels.

    Raises:
        InputError: if the weights are not those of Demucs, version 1 or 2.

    Example:
    >>> import numpy as np
    >>> shapes = {"encoder.0.0.weight": (4, 2, 8), "encoder.1.0.weight": (8, 4, 8)}
    >>> shapes |= {"decoder.0.0.weight": (16, 8, 3), "decoder.1.2.weight": (4, 6, 8)}
    >>> state = {name: np.zeros(shape) for name, shape in shapes.items()}
    >>> arguments("demucs.th", state)["outputs"]
    6
    """
    levels = sum(f"encoder.{level}.0.weight" in state for level in range(len(state)))
    needed = ["encoder.0.0.weight", "decoder.0.0.weight", f"decoder.{levels - 1}.2.weight"]
    absent = [name for name in needed if name not in state or state[name].ndim != 3]
    if absent:
        version = ", but version 3's" if "encoder.0.3.weight" in state else ""
        raise InputError(
            f"{path} holds {len(state)} tensors ({weight_map.some(state)}) without "
            f"{', '.join(absent)}{version}: give a .th file of Demucs, version 1 or 2"
        )
    filters, channels, kernel_size = state[needed[0]].shape
    widths = [state[f"encoder.{level}.0.weight"].shape[0] for level in range(levels)]
    growth = widths[1] / max(filters, 1) if levels > 1 else 2.0
    expected = [filters]
    while len(expected) < levels:
        expected.append(int(growth * expected[-1]))
    if widths != expected:
        raise InputError(f"{path} has {widths} features by level, expected a constant growth")
    return {
        "channels": channels,
        "filters": filters,
        "levels": levels,
        "growth": growth,
        "kernel_size": kernel_size,
        "stride": kernel_size // 2,
        "context": state[needed[1]].shape[2],
        "lstm_layers": sum(f"lstm.lstm.weight_ih_l{index}" in state for index in range(len(state))),
        "outputs": state[needed[2]].shape[1],
    }


def _read(path):
    """Return a file's settings, or None, and its weights."""
    contents, state = read_checkpoint(path)
    package = contents if type(contents) is dict and "state" in contents else {}
    held = package.get("state", contents)
    if type(held) is dict and {"compressed", "__quantized"} & held.keys():
        raise InputError(
            f"{path} holds quantised weights, which cannot be read without DiffQ: give the .th "
            f"file that is not quantised"
        )
    settings = package.get("kwargs") if "klass" in package else None
    if settings is not None and type(settings) is not dict:
        raise InputError(f"{path} has settings that are not a dict, expected Demucs' own file")
    return settings, state


def _named(path, settings):
    """Return the settings that the shapes of weights do not show, by kerasep's names."""
    if any(settings.get(name, value) != value for name, value in _FIXED.items()):
        raise InputError(f"{path} is of a Demucs with {settings}, which kerasep does not build")
    named = {ours: settings[name] for name, ours in _ARGUMENTS.items() if name in settings}
    if not all(isinstance(value, int) for value in named.values()):
        raise InputError(f"{path} has settings {named}, expected whole numbers")
    return named


def _slots(model):
    """Map a network's weights; decoder levels are numbered from the bottom in the original."""
    for level in range(model.levels):
        up = model.levels - 1 - level
        for name, layer in (
            (f"encoder.{level}.0", f"encoder_{level}_conv"),
            (f"encoder.{level}.2", f"encoder_{level}_rewrite"),
            (f"decoder.{up}.0", f"decoder_{level}_rewrite"),
            (f"decoder.{up}.2", f"decoder_{level}_conv"),
        ):
            yield from weight_map.convolution(name, model.get_layer(layer))
    if model.lstm_layers:
        yield from weight_map.lstm("lstm.lstm", model.get_layer("lstm").cells)
        yield from weight_map.dense("lstm.linear", model.get_layer("linear"))
