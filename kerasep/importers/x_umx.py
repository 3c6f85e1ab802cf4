"""X-UMX checkpoints, as Asteroid writes them, into a bridged `kerasep.models.OpenUnmixLike`."""

from kerasep.errors import InputError
from kerasep.importers import open_unmix, weight_map
from kerasep.importers.torch_file import read_state_dict, without_buffers

# Asteroid's modules of a source, and Open-Unmix' names for them.
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


def weights(path):
    """Read the weights of all sources from one file.

    Args:
        path: a `.pth` file that holds a state dict, or a checkpoint with one.

    Returns:
        A dict from source, in the file's order, to a dict from Open-Unmix' names to arrays.

    Raises:
        InputError: if the file is not one of X-UMX; nothing in it is ever run.

    Example:
    ```python
    from kerasep.importers import x_umx

    try:
        x_umx.weights("x_umx.pth")
    except ValueError as error:
        assert "x_umx.pth" in str(error)
    ```
    """
    state = without_buffers(read_state_dict(path), _IGNORED)
    starts = [name.split(".")[1] for name in state if name.startswith("layer_enc.")]
    found = {source: {} for source in dict.fromkeys(starts)}
    for source, own in found.items():
        for theirs, ours in _MODULES.items():
            start = theirs.format(source)
            taken = [name for name in state if name.startswith(start)]
            own.update({ours + name.removeprefix(start): state.pop(name) for name in taken})
        for scale in _SCALES:
            if (name := f"mean_scale.{scale}_{source}") in state:
                own[scale] = state.pop(name)
    if state or not found:
        raise InputError(
            f"{path} holds {weight_map.some(state) or 'nothing'} beside {len(found)} sources, "
            f"expected an X-UMX checkpoint of Asteroid"
        )
    return found


def load(model, path):
    """Set a bridged model's weights from an X-UMX checkpoint.

    Args:
        model: a `kerasep.models.OpenUnmixLike` with `bridged=True` and the file's sources.
        path: the file.

    Returns:
        The model; on an error it stays as it was.

    Raises:
        InputError: for other sources, a model without bridges, or weights of another model.

    Example:
    ```python
    from kerasep.importers import x_umx
    from kerasep.models import OpenUnmixLike

    model = OpenUnmixLike(["bass", "drums"], 8000, n_fft=256, hop=64, hidden=16, bridged=True)
    try:
        x_umx.load(model, "x_umx.pth")
    except ValueError as error:
        assert "x_umx.pth" in str(error)
    ```
    """
    if not getattr(model, "bridged", False):
        raise InputError("received a model without bridges, expected OpenUnmixLike(bridged=True)")
    found = weights(path)
    if set(found) != set(model.sources):
        raise InputError(
            f"{path} has {', '.join(found)}, expected the model's {', '.join(model.sources)}"
        )
    advice = "make the fitting model with kerasep.importers.x_umx.build"
    values = [
        weight_map.check(path, open_unmix.slots(model, source), found[source], advice)
        for source in model.sources
    ]
    for each in values:
        weight_map.set_all(each)
    return model


def build(path, sample_rate=44100, hop=None):
    """Make the model that an X-UMX checkpoint fits, with its weights.

    Args:
        path: the file.
        sample_rate: in Hz. Defaults to 44100.
        hop: samples between frames. Default: a quarter of the FFT length.

    Returns:
        A bridged `kerasep.models.OpenUnmixLike`.

    Raises:
        InputError: as `load`.

    Example:
    ```python
    from kerasep.importers import x_umx

    try:
        x_umx.build("x_umx.pth")
    except ValueError as error:
        assert "x_umx.pth" in str(error)
    ```
    """
    found = weights(path)
    settings, *others = [open_unmix.arguments(state) for state in found.values()]
    if any(other != settings for other in others):
        raise InputError(f"{path} holds sources of different architectures ({settings}, {others})")
    return load(open_unmix.model_of(path, found, settings, sample_rate, hop, bridged=True), path)
