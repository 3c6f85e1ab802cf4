"""nussl's saved models into mask inference, deep clustering and Chimera networks."""

import json

from kerasep import models
from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_checkpoint, without_buffers
from kerasep.importers.weight_map import some

# The networks that nussl's builders for mask inference, deep clustering and Chimera make: class of
# each module, and what it takes.
_MODULES = {
    "log_spectrogram": "AmplitudeToDB",
    "normalization": "BatchNorm",
    "recurrent_stack": "RecurrentStack",
    "embedding": "Embedding",
    "mask": "Embedding",
    "estimates": "Mask",
}
_TRUNK = ("log_spectrogram", "normalization", "recurrent_stack")
_HEADS = {
    ("embedding", "mask", "estimates"): "ChimeraLike",
    ("mask", "estimates"): "MaskInferenceLike",
    ("embedding",): "DeepClusteringLike",
}
_ACTIVATIONS = ("sigmoid", "tanh", "relu", "softmax")
_NEXT = "give a file that nussl's SeparationModel.save wrote"


def arguments(path):
    """Tell what model a file of nussl belongs to.

    Args:
        path: a file that `nussl.ml.SeparationModel.save` wrote.

    Returns:
        Name of the class in `kerasep.models`, and a dict of those of its arguments that the file
        knows; the transform and the sample rate are there when nussl trained the model.

    Raises:
        InputError: for another file, or a network that none of nussl's recurrent builders makes.

    Example:
    ```python
    from kerasep.importers import nussl

    try:
        nussl.arguments("chimera.pth")
    except ValueError as error:
        assert "chimera.pth" in str(error)
    ```
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


def load(model, path):
    """Set a model's weights from a file of nussl.

    Args:
        model: a `MaskInferenceLike`, `DeepClusteringLike` or `ChimeraLike`.
        path: a file that `nussl.ml.SeparationModel.save` wrote, or one of its state dict alone.

    Returns:
        The model.

    Raises:
        InputError: for a file that cannot be read, the weights of another model, or one of the same
            shape that computes something else, as with another activation. The model stays as it
            was.

    Example:
    ```python
    import kerasep
    from kerasep.importers import nussl

    model = kerasep.zoo.load("chimera_like", units=8)
    try:
        nussl.load(model, "chimera.pth")
    except ValueError as error:
        assert "chimera.pth" in str(error)
    ```
    """
    kind = type(model).__name__
    if kind not in _HEADS.values():
        raise InputError(f"received a {kind}, expected {' or '.join(_HEADS.values())}")
    contents, state = read_checkpoint(path)
    if _config(contents) is not None:
        network, found = arguments(path)
        # What no shape of a weight shows.
        unseen = ("full_scale", "activation", "embedding_activation")
        settings = [key for key in unseen if key in found]
        wanted = {"class": kind} | {key: model.get_config().get(key) for key in settings}
        held = {"class": network} | {key: found[key] for key in settings}
        if wanted != held:
            raise InputError(
                f"{path} holds a network of {held}, expected {wanted}: make the fitting model with "
                f"kerasep.importers.nussl.build"
            )
    state = without_buffers(state)
    advice = "make the fitting model with kerasep.importers.nussl.build"
    weight_map.assign(path, _slots(model), state, advice)
    return model


def build(path, sources, sample_rate=None, hop=None, window=None):
    """Make the model that a file of nussl fits, with its weights.

    Args:
        path: a file that `nussl.ml.SeparationModel.save` wrote.
        sources: names of the sources, which the file does not know.
        sample_rate: in Hz. Default: what the file says.
        hop: samples between frames. Default: what the file says.
        window: analysis window. Default: what the file says.

    Returns:
        A `MaskInferenceLike`, `DeepClusteringLike` or `ChimeraLike`.

    Raises:
        InputError: as `arguments` and `load`, and where neither the file nor the call tells the
            transform.

    Example:
    ```python
    from kerasep.importers import nussl

    try:
        nussl.build("chimera.pth", ["speaker_1", "speaker_2"])
    except ValueError as error:
        assert "chimera.pth" in str(error)
    ```
    """
    name, found = arguments(path)
    given = {"sample_rate": sample_rate, "hop": hop, "window": window}
    known = found | {key: value for key, value in given.items() if value is not None}
    missing = [key for key in given if key not in known]
    if missing:
        raise InputError(
            f"received {path}, which does not tell {some(missing)}: give what it was trained with"
        )
    _, state = read_checkpoint(path)
    arguments_of = {"sources": sources, **known}
    model = weight_map.build(path, getattr(models, name), arguments_of, state.values())
    return load(model, path)


def _config(contents):
    """Give nussl's description of a network, or None for a file without one."""
    if not isinstance(contents, dict):
        return None
    metadata = contents.get("metadata")
    found = contents.get("config") or (isinstance(metadata, dict) and metadata.get("config"))
    try:
        found = json.loads(found) if isinstance(found, str) else found
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _described(config):
    """Give the name of our class, and its arguments; anything unexpected raises an error."""
    modules = dict(config["modules"])
    (mix,) = [name for name, module in modules.items() if "class" not in module]
    del modules[mix]
    heads = tuple(name for name in _MODULES if name in modules and name not in _TRUNK)
    network = _HEADS[heads]
    for name in (*_TRUNK, *heads):
        _expect(name, modules.pop(name)["class"], _MODULES[name])
    _expect("modules", sorted(modules), [])
    _expect("connections", sorted(config["connections"]), sorted(_connections(heads, mix)))

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


def _connections(heads, mix):
    takes = {
        "log_spectrogram": [mix],
        "normalization": ["log_spectrogram"],
        "recurrent_stack": ["normalization"],
        "embedding": ["recurrent_stack"],
        "mask": ["recurrent_stack"],
        "estimates": ["mask", mix],
    }
    return [[name, takes[name]] for name in (*_TRUNK, *heads)]


def _activation(names):
    """Split nussl's list into an activation, "linear" where it names none, and a norm or None."""
    names = [names] if isinstance(names, str) else list(names)
    _expect("activations", sorted(set(names) - {*_ACTIVATIONS, "unit_norm", "l1_norm"}), [])
    activation = next((name for name in _ACTIVATIONS if name in names), "linear")
    return activation, next((name for name in ("unit_norm", "l1_norm") if name in names), None)


def _transform(metadata, n_fft):
    """Read the transform and the sample rate, where nussl saved its training data's."""
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
