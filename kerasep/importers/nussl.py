"""nussl's saved models into mask inference, deep clustering and Chimera networks."""

import json
import os
from collections.abc import Sequence

import keras

from kerasep import models
from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_checkpoint, without_buffers
from kerasep.importers.weight_map import some

# The networks of nussl's builders for mask inference, deep clustering and Chimera: class and inputs
# of each module. `None` is the mixture's magnitude, whose name differs.
_MODULES: dict[str, tuple[str, list]] = {
    "log_spectrogram": ("AmplitudeToDB", [None]),
    "normalization": ("BatchNorm", ["log_spectrogram"]),
    "recurrent_stack": ("RecurrentStack", ["normalization"]),
    "embedding": ("Embedding", ["recurrent_stack"]),
    "mask": ("Embedding", ["recurrent_stack"]),
    "estimates": ("Mask", ["mask", None]),
}
_TRUNK = ("log_spectrogram", "normalization", "recurrent_stack")
_HEADS = {
    ("embedding", "mask", "estimates"): "ChimeraLike",
    ("mask", "estimates"): "MaskInferenceLike",
    ("embedding",): "DeepClusteringLike",
}
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "softmax")
_ADVICE = "build the matching model with kerasep.importers.nussl.build"
_NEXT = "give a file that nussl's SeparationModel.save wrote"


def arguments(path: str | os.PathLike) -> tuple[str, dict]:
    """Return the class and the arguments of the model that a file of nussl holds.

    Args:
        path: a file that `nussl.ml.SeparationModel.save` wrote.

    Returns:
        Name of the class in `kerasep.models`, and a dict of those of its arguments that are in the
        file. The transform and the sample rate are among them if nussl trained the model.

    Raises:
        InputError: for another file, or a network of none of nussl's recurrent builders.

    Example:
    >>> arguments("chimera.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received chimera.pth, which is not a file: give the path ...
    """
    contents, _ = read_checkpoint(path)
    config = _config(contents)
    if config is None:
        raise InputError(f"{path} holds no configuration of nussl: {_NEXT}")
    try:
        found = _described(config)
        return found[0], {**found[1], **_transform(contents.get("metadata"), found[1]["n_fft"])}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path} holds a network that is none of nussl's recurrent mask inference, deep "
            f"clustering and Chimera networks ({error}): {_NEXT}"
        ) from error


def load(model: keras.Model, path: str | os.PathLike) -> keras.Model:
    """Set a model's weights from a file of nussl.

    Args:
        model: a `MaskInferenceLike`, `DeepClusteringLike` or `ChimeraLike`.
        path: a file that `nussl.ml.SeparationModel.save` wrote, or one of its state dict alone.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: for a file that cannot be read, the weights of another model, or one of the same
            shapes that computes something else, for example with another activation.

    Example:
    >>> load(models.ChimeraLike(n_fft=16, hop=4, units=3), "chimera.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received chimera.pth, which is not a file: give the path ...
    """
    weight_map.check_class(model, *(getattr(models, name) for name in _HEADS.values()))
    contents, state = read_checkpoint(path)
    if _config(contents) is not None:
        network, found = arguments(path)
        # Settings that no shape of a weight shows.
        hidden = {"full_scale", "activation", "embedding_activation"} & found.keys()
        config = {"class": type(model).__name__, **model.get_config()}
        received = {"class": network, **{key: found[key] for key in sorted(hidden)}}
        expected = {key: config.get(key) for key in received}
        if expected != received:
            raise InputError(
                f"{path} holds a network of {received}, expected {expected}: {_ADVICE}"
            )
    weight_map.assign(path, _slots(model), without_buffers(state), _ADVICE)
    model.trained = True
    return model


def build(
    path: str | os.PathLike,
    sources: Sequence[str],
    sample_rate: int | None = None,
    hop: int | None = None,
    window: str | None = None,
) -> keras.Model:
    """Build the model that a file of nussl fits, with its weights.

    Args:
        path: a file that `nussl.ml.SeparationModel.save` wrote.
        sources: names of the sources, which are not in the file.
        sample_rate: in Hz. Default: what the file says.
        hop: samples between frames. Default: what the file says.
        window: analysis window. Default: what the file says.

    Returns:
        A `MaskInferenceLike`, `DeepClusteringLike` or `ChimeraLike`.

    Raises:
        InputError: as `arguments` and `load`, and if the transform is neither in the file nor
            among the arguments.

    Example:
    >>> build("chimera.pth", ["speaker_1", "speaker_2"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received chimera.pth, which is not a file: give the path ...
    """
    name, found = arguments(path)
    transform = {"sample_rate": sample_rate, "hop": hop, "window": window}
    found |= {key: value for key, value in transform.items() if value is not None}
    missing = [key for key in transform if key not in found]
    if missing:
        raise InputError(
            f"received {path}, which does not hold {some(missing)}: pass those of its training"
        )
    _, state = read_checkpoint(path)
    cls = getattr(models, name)
    return load(weight_map.build(path, cls, {"sources": sources, **found}, state.values()), path)


def _config(contents):
    """Return nussl's description of a network, or None for a file without one."""
    if not isinstance(contents, dict):
        return None
    metadata = contents.get("metadata")
    config = contents.get("config") or (isinstance(metadata, dict) and metadata.get("config"))
    try:
        config = json.loads(config) if isinstance(config, str) else config
    except (ValueError, RecursionError):
        return None
    return config if isinstance(config, dict) else None


def _described(config):
    """Return the name of our class, and its arguments; raise an error for anything unexpected."""
    modules = dict(config["modules"])
    (mix,) = [name for name, module in modules.items() if "class" not in module]
    del modules[mix]
    heads = tuple(name for name in _MODULES if name in modules and name not in _TRUNK)
    network = _HEADS[heads]
    connections = []
    for name in (*_TRUNK, *heads):
        cls, inputs = _MODULES[name]
        _expect(name, modules.pop(name)["class"], cls)
        connections.append([name, [source or mix for source in inputs]])
    _expect("modules", sorted(modules), [])
    _expect("connections", sorted(config["connections"]), sorted(connections))

    def settings(name):
        return config["modules"][name].get("args", {})

    recurrent = settings("recurrent_stack")
    _expect("rnn_type", recurrent.get("rnn_type", "lstm"), "lstm")
    _expect("normalization", settings("normalization"), {})
    layers = recurrent["num_layers"]
    found = {
        "full_scale": True,  # its transform divides by the window's sum
        "channels": settings(heads[0]).get("num_audio_channels", 1),
        "n_fft": 2 * (settings(heads[0])["num_features"] - 1),
        "units": recurrent["hidden_size"],
        "lstm_layers": layers,
        "bidirectional": bool(recurrent["bidirectional"]),
        "dropout": float(recurrent["dropout"]) if layers > 1 else 0.0,
    }
    if "mask" in heads:
        found["activation"], norm = _activation(settings("mask")["activation"])
        _expect("the masks' norm", norm, None)
    if "embedding" in heads:
        key = "embedding_activation" if "mask" in heads else "activation"
        found[key], norm = _activation(settings("embedding")["activation"])
        _expect("the embedding's norm", norm, "unit_norm")
        found["embedding"] = settings("embedding")["embedding_size"]
    return network, found


def _expect(what, received, expected):
    if received != expected:
        raise ValueError(f"{what} {received!r}, expected {expected!r}")


def _activation(names):
    """Split nussl's list into an activation, "linear" by default, and a norm or None."""
    names = [names] if isinstance(names, str) else list(names)
    _expect("activations", sorted(set(names) - {*_ACTIVATIONS, "unit_norm", "l1_norm"}), [])
    activation = next((name for name in _ACTIVATIONS if name in names), "linear")
    return activation, next((name for name in ("unit_norm", "l1_norm") if name in names), None)


def _transform(metadata, n_fft):
    """Return the transform and the sample rate, if nussl saved those of its training data."""
    found = {}
    if isinstance(metadata, dict):
        if isinstance(metadata.get("sample_rate"), int):
            found["sample_rate"] = metadata["sample_rate"]
        match metadata.get("stft_params"):
            case (int(length), int(hop), str(window)) if length == n_fft:
                found |= {"hop": hop, "window": window}
    return found


def _slots(model):
    """Map nussl's names to a model's variables."""
    yield from weight_map.batch_norm(
        "layers.normalization.batch_norm", model.get_layer("normalization")
    )
    yield from weight_map.lstm("layers.recurrent_stack.rnn", model.get_layer("recurrent").cells)
    names = {layer.name for layer in model.layers}
    for head in ("embedding", "mask"):
        if head in names:
            yield from weight_map.dense(f"layers.{head}.linear", model.get_layer(head).dense)
