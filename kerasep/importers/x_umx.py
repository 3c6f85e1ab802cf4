"""X-UMX checkpoints, as Asteroid writes them, into a bridged `kerasep.models.OpenUnmixLike`."""

import os

from kerasep.errors import InputError
from kerasep.importers import open_unmix, weight_map
from kerasep.importers.torch_file import read_state_dict, without_buffers
from kerasep.models import OpenUnmixLike

# Asteroid's modules of a source, and Open-Unmix's names for them.
_MODULES = {
    "layer_enc.{}.enc.0.": "fc1.",
    "layer_enc.{}.enc.1.": "bn1.",
    "layer_lstm.{}.": "lstm.",
    "layer_dec.{}.dec.0.": "fc2.",
    "layer_dec.{}.dec.1.": "bn2.",
    "layer_dec.{}.dec.3.": "fc3.",
    "layer_dec.{}.dec.4.": "bn3.",
}
_SCALES = ("input_mean", "input_scale", "output_mean", "output_scale")
_IGNORED = ("encoder.", "decoder.")  # windows of the transforms
_ADVICE = "build the matching model with kerasep.importers.x_umx.build"


def weights(path: str | os.PathLike) -> dict[str, dict]:
    """Read the weights of all sources from one file.

    Args:
        path: a `.pth` file that holds a state dict, or a checkpoint with one.

    Returns:
        A dict from source, in the file's order, to a dict from Open-Unmix's names to arrays.

    Raises:
        InputError: if the file is not a checkpoint of X-UMX.

    Example:
    >>> weights("x_umx.pth")
    Traceback (most recent call last):
    kerasep.errors.InputError: received x_umx.pth, which is not a file: give the path of a .pth file
    """
    state = without_buffers(read_state_dict(path), _IGNORED)
    sources = [name.split(".")[1] for name in state if name.startswith("layer_enc.")]
    states: dict[str, dict] = {source: {} for source in dict.fromkeys(sources)}
    for source, renamed in states.items():
        for theirs, ours in _MODULES.items():
            start = theirs.format(source)
            taken = [name for name in state if name.startswith(start)]
            renamed.update({ours + name.removeprefix(start): state.pop(name) for name in taken})
        for scale in _SCALES:
            if (name := f"mean_scale.{scale}_{source}") in state:
                renamed[scale] = state.pop(name)
    if state or not states:
        raise InputError(
            f"{path} holds {weight_map.some(state) or 'nothing'} beside {len(states)} sources, "
            f"expected an X-UMX checkpoint of Asteroid"
        )
    return states


def load(model: OpenUnmixLike, path: str | os.PathLike) -> OpenUnmixLike:
    """Set a bridged model's weights from an X-UMX checkpoint.

    Args:
        model: a `kerasep.models.OpenUnmixLike` with `bridged=True` and the file's sources.
        path: the file.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: for other sources, a model without bridges, or weights of another model.

    Example:
    >>> model = OpenUnmixLike(["vocals"], 8000, n_fft=64, hop=16, hidden=4, bridged=True)
    >>> load(model, "x_umx.pth")
    Traceback (most recent call last):
    kerasep.errors.InputError: received x_umx.pth, which is not a file: give the path of a .pth file
    """
    if not getattr(model, "bridged", False):
        raise InputError("received a model without bridges, expected OpenUnmixLike(bridged=True)")
    states = weights(path)
    if set(states) != set(model.sources):
        raise InputError(
            f"{path} has {', '.join(states)}, expected the model's {', '.join(model.sources)}"
        )
    open_unmix.assign(model, {source: (path, states[source]) for source in model.sources}, _ADVICE)
    model.trained = True
    return model


def build(
    path: str | os.PathLike, sample_rate: int = 44100, hop: int | None = None
) -> OpenUnmixLike:
    """Build the model that an X-UMX checkpoint fits, with its weights.

    Args:
        path: the file.
        sample_rate: in Hz. Defaults to 44100.
        hop: samples between frames. Default: a quarter of the FFT length.

    Returns:
        A bridged `kerasep.models.OpenUnmixLike`.

    Raises:
        InputError: as `load`.

    Example:
    >>> build("x_umx.pth")
    Traceback (most recent call last):
    kerasep.errors.InputError: received x_umx.pth, which is not a file: give the path of a .pth file
    """
    states = weights(path)
    settings, *others = [open_unmix.arguments(state) for state in states.values()]
    if any(other != settings for other in others):
        raise InputError(f"{path} holds sources of different architectures ({settings}, {others})")
    model = open_unmix.model_of(path, states, settings, sample_rate, hop, bridged=True)
    return load(model, path)
