"""Open-Unmix checkpoints, as its authors publish them, into `kerasep.models.OpenUnmixLike`."""

import json
import math
import os
import pathlib
import re
from collections.abc import Iterator, Mapping

from kerasep.errors import InputError
from kerasep.files.text_files import read_text
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_state_dict, without_buffers
from kerasep.importers.weight_map import some
from kerasep.models import OpenUnmixLike

# Some releases save more than weights: the window of the transform, and the sample rate.
_IGNORED = ("stft.", "transform.", "sample_rate")
_ENDINGS = (".pth", ".safetensors")
_USUAL_ORDER = ("vocals", "drums", "bass", "other")
_ADVICE = "build the matching model with kerasep.importers.open_unmix.build"


def weights(path: str | os.PathLike) -> dict:
    """Read the weights of one target from an Open-Unmix `.pth` file.

    Args:
        path: the file, of the old or the zip format, holding a state dict or a training checkpoint.

    Returns:
        A dict: PyTorch's name to numpy array, without buffers that are not weights (the transform's
        window, the batch counters).

    Raises:
        InputError: if the file is not a PyTorch file of weights. Nothing in it is run.

    Example:
    >>> weights("vocals.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received vocals.pth, which is not a file: give the path ...
    """
    return without_buffers(read_state_dict(path), _IGNORED)


def arguments(state: dict) -> dict:
    """Return the arguments of the model that a state dict belongs to.

    Args:
        state: the weights of one target, from `weights`.

    Returns:
        A dict of `hidden`, `lstm_layers`, `bidirectional`, `channels`, `n_fft` and `bins`: the
        number of bins below the bandwidth limit, which the network looks at.

    Raises:
        InputError: if the state dict is not Open-Unmix's.

    Example:
    >>> import numpy as np
    >>> shapes = {"input_mean": 20, "output_mean": 33, "fc1.weight": (12, 40)}
    >>> shapes |= {"fc2.weight": (12, 24), "fc3.weight": (66, 12)}
    >>> found = arguments({name: np.zeros(shape) for name, shape in shapes.items()})
    >>> found["n_fft"], found["channels"], found["bidirectional"]
    (64, 2, False)
    """
    axes = {"input_mean": 1, "output_mean": 1, "fc1.weight": 2, "fc2.weight": 2, "fc3.weight": 2}
    absent = [name for name in axes if name not in state or state[name].ndim != axes[name]]
    if absent:
        raise InputError(
            f"received a checkpoint of {len(state)} tensors ({some(state)}) without Open-Unmix's "
            f"{some(absent)}: give one of Open-Unmix's .pth files"
        )
    bins, outputs = len(state["input_mean"]), len(state["output_mean"])
    hidden, inputs = state["fc1.weight"].shape
    channels = inputs // max(bins, 1)
    # They must agree before a model is made of them: it could be far larger than the file.
    expected = {
        "fc1.weight": (hidden, channels * bins),
        "fc2.weight": (hidden, 2 * hidden),
        "fc3.weight": (channels * outputs, hidden),
    }
    received = {name: state[name].shape for name in expected}
    if received != expected or not state["fc3.weight"].size:
        raise InputError(
            f"received a checkpoint with {received}, expected Open-Unmix's {expected}: "
            f"give one of Open-Unmix's .pth files"
        )
    return {
        "hidden": hidden,
        "lstm_layers": sum(f"lstm.weight_ih_l{index}" in state for index in range(len(state))),
        "bidirectional": "lstm.weight_ih_l0_reverse" in state,
        "channels": channels,
        "n_fft": 2 * (outputs - 1),
        "bins": bins,
    }


def load(
    model: OpenUnmixLike, paths: str | os.PathLike | Mapping[str, str | os.PathLike]
) -> OpenUnmixLike:
    """Set a model's weights from Open-Unmix checkpoints, one per source.

    Args:
        model: a `kerasep.models.OpenUnmixLike`.
        paths: a `.pth` file for a model of one source; a dict of source to file; or a folder that
            holds `<source>.pth`, `<source>-<hash>.pth` or `<source>_<hash>.pth` for every source of
            the model.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if a source has no file, a file cannot be read, or the weights are another
            model's: it names those missing, not expected and of another shape.

    Example:
    >>> model = OpenUnmixLike(["vocals"], 8000, n_fft=64, hop=16, hidden=4)
    >>> load(model, {"drums": "drums.pth"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received checkpoints of drums, expected one per source: ...
    """
    weight_map.check_class(model, OpenUnmixLike)
    files = files_of(paths, model.sources)
    missing = [source for source in model.sources if source not in files]
    if missing:
        raise InputError(
            f"received checkpoints of {some(files)}, expected one per source: "
            f"{', '.join(missing)} has none"
        )
    states = {source: (files[source], weights(files[source])) for source in model.sources}
    assign(model, states, _ADVICE)
    model.trained = True
    return model


def assign(model: OpenUnmixLike, states: dict, advice: str) -> None:
    """Set the weights of all sources, or none, from a dict of source to (path, weights)."""
    values = [
        weight_map.check(path, slots(model, source), state, advice)
        for source, (path, state) in states.items()
    ]
    for value in values:
        weight_map.set_all(value)


def build(
    paths: str | os.PathLike | Mapping[str, str | os.PathLike],
    sample_rate: int | None = None,
    hop: int | None = None,
) -> OpenUnmixLike:
    """Build the model that Open-Unmix checkpoints fit, with their weights.

    Args:
        paths: a `.pth` file, a dict of source to file, or a folder, as for `load`. A file's name
            begins with its source: `vocals-0a1b2c3d.pth` is "vocals".
        sample_rate: in Hz. Default: what the folder's `separator.json` says, else 44100.
        hop: samples between frames. Default: what `separator.json` says, else a quarter of the FFT
            length.

    Returns:
        A `kerasep.models.OpenUnmixLike` of all sources of the checkpoints.

    Raises:
        InputError: if there is no checkpoint, or they are not all of one architecture.

    Example:
    >>> build("no/such/folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received no/such/folder, which is not there: give a .pth file, or ...
    """
    files = files_of(paths)
    states = {source: weights(path) for source, path in files.items()}
    found = {source: arguments(state) for source, state in states.items()}
    settings, *others = found.values()
    if any(other != settings for other in others):
        raise InputError(
            f"received checkpoints of different architectures ({found}): build a model for each"
        )
    saved = _separator(paths)
    sample_rate = sample_rate or saved.get("sample_rate", 44100)
    hop = hop or saved.get("nhop")
    path = next(iter(files.values())) if isinstance(paths, dict) else paths
    return load(model_of(path, states, settings, sample_rate, hop), files)


def model_of(path, states, settings, sample_rate, hop=None, bridged=False):
    """Build the model of the sources in `states`, with settings from `arguments`."""
    n_fft, bins = settings["n_fft"], settings["bins"]
    found = {
        "sources": tuple(states),
        "sample_rate": sample_rate,
        "hop": hop or n_fft // 4,
        # The limit is published in whole Hz: the lowest one that keeps this many bins.
        "max_hz": math.ceil((bins - 1) * sample_rate / n_fft) if bins <= n_fft // 2 else None,
        "bridged": bridged,
        **{name: value for name, value in settings.items() if name != "bins"},
    }
    held = [array for state in states.values() for array in state.values()]
    return weight_map.build(path, OpenUnmixLike, found, held)


def files_of(paths, sources=()):
    """Return a dict of source to path for any of the three ways to name checkpoints."""
    if isinstance(paths, dict):
        return dict(paths)
    path = pathlib.Path(paths)
    if not path.exists():
        raise InputError(f"received {path}, which is not there: give a .pth file, or their folder")
    if path.is_dir():
        found = {}
        for file in sorted(file for file in path.iterdir() if file.suffix in _ENDINGS):
            source = _source(file)
            if source in found:
                raise InputError(
                    f"{path} holds {found[source].name} and {file.name}, expected one file for "
                    f"{source}: remove one, or give a dict of source to file"
                )
            found[source] = file
        if not found:
            raise InputError(f"{path} holds no .pth file: give the folder of the checkpoints")
        usual = [source for source in _USUAL_ORDER if source in found]
        return {source: found[source] for source in [*usual, *sorted(found.keys() - usual)]}
    if len(sources) > 1:
        raise InputError(
            f"received one file for a model of {', '.join(sources)}: "
            f"give a folder, or a dict of source to file"
        )
    return {sources[0] if sources else _source(path): path}


def _source(path):
    """Return the source in a file's name: `vocals-0a1b2c3d.pth` or `speech_0a1b2c3d.pth`."""
    return re.sub(r"_[0-9a-f]{8}$", "", path.stem).split("-")[0]


def _separator(paths):
    """Read `separator.json`, which may lie beside the checkpoints."""
    if isinstance(paths, dict) or not (path := pathlib.Path(paths) / "separator.json").is_file():
        return {}
    try:
        saved = json.loads(read_text(path))
        return {name: int(saved[name]) for name in ("sample_rate", "nhop") if name in saved}
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{path} is not JSON with whole sample_rate and nhop ({error}): correct or remove it"
        ) from error


def slots(model: OpenUnmixLike, source: str) -> Iterator[weight_map.Slot]:
    """Map the weights of one target to its network in the model.

    Args:
        model: a `kerasep.models.OpenUnmixLike`.
        source: one of its sources.
    """

    def layer(part):
        return model.get_layer(f"{source}_{part}")

    for part in ("input", "output"):
        yield weight_map.same(f"{part}_mean", layer(part).shift)
        yield weight_map.same(f"{part}_scale", layer(part).scale)
    for index in (1, 2, 3):
        yield from weight_map.dense(f"fc{index}", layer(f"fc{index}"))
        yield from weight_map.batch_norm(f"bn{index}", layer(f"bn{index}"))
    yield from weight_map.lstm("lstm", layer("lstm").cells)
