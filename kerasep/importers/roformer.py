"""Checkpoints of band-split RoFormers into `BSRoFormerLike` and `MelBandRoFormerLike`."""

import os
from collections.abc import Iterator, Sequence

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.importers import training_settings, weight_map
from kerasep.importers.torch_file import read_state_dict
from kerasep.layers import AxialTransformer
from kerasep.models import BSRoFormerLike, MelBandRoFormerLike

# Of files with as many sources, if no settings beside them name them.
SOURCES = {1: ("vocals",), 4: ("drums", "bass", "other", "vocals")}
# Settings that the shapes of weights do not show, and kerasep's names for them.
_SETTINGS = {
    "stft_hop_length": "hop",
    "stft_n_fft": "n_fft",
    "sample_rate": "sample_rate",
    "chunk_seconds": "chunk_seconds",
    "zero_dc": "zero_dc",
}
_SHARED = "band_split.to_features.0.1.weight"
_ADVICE = "build the matching model with kerasep.importers.roformer.build"


def load(model: keras.Model, path: str | os.PathLike) -> keras.Model:
    """Set a model's weights from a checkpoint of a band-split RoFormer.

    Args:
        model: a `kerasep.models.BSRoFormerLike` or `MelBandRoFormerLike`, its sources in the file's
            order.
        path: a PyTorch file.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds the weights of another model: it names
            those missing, not expected and of another shape.

    Example:
    ```python
    from kerasep.importers import roformer
    from kerasep.models import BSRoFormerLike

    model = BSRoFormerLike(n_fft=8, hop=4, bands=[5], features=8, depth=1)
    try:
        roformer.load(model, "model.ckpt")
    except ValueError as error:
        assert "model.ckpt" in str(error)
    ```
    """
    weight_map.check_class(model, BSRoFormerLike, MelBandRoFormerLike)
    weight_map.assign(path, _slots(model), _read(path), _ADVICE)
    model.trained = True
    return model


def build(
    path: str | os.PathLike,
    sources: Sequence[str] | None = None,
    settings: str | os.PathLike | None = None,
) -> keras.Model:
    """Build the model that a checkpoint fits, with its weights.

    The weights show whether the bands are mel bands, and all sizes. They do not show the names of
    the sources, the hop, the sample rate and the length of a chunk: these are read from the YAML
    file with the settings of the training, and without one are the class's defaults. A mixture of
    two channels is assumed.

    Args:
        path: a PyTorch file.
        sources: names of the sources, in the file's order. Default: those of the settings, else
            vocals for one source, or drums, bass, other and vocals for four.
        settings: a YAML file. Default: the file beside the checkpoint of the same name that ends in
            .yaml, if any.

    Returns:
        A `kerasep.models.BSRoFormerLike` or `MelBandRoFormerLike`.

    Raises:
        InputError: as `load`, for settings that cannot be read, and for another number of sources.

    Example:
    ```python
    from kerasep.importers import roformer

    try:
        roformer.build("model.ckpt", settings="model.yaml")
    except ValueError as error:
        assert "model.ckpt" in str(error)
    ```
    """
    state = _read(path)
    audio, names = _described(path, settings)
    zero_dc = audio.pop("zero_dc", False)
    model_class, arguments = _sizes(path, state, audio)
    if model_class is MelBandRoFormerLike:
        arguments["zero_dc"] = zero_dc
    count = arguments.pop("count")
    sources = tuple(sources or names or SOURCES.get(count, ()))
    weight_map.check_sources(path, sources, count)
    model = weight_map.build(path, model_class, {**arguments, "sources": sources}, state.values())
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def _read(path):
    """Return the weights of a file, without the angles of rotary positions, which are constants."""
    state = read_state_dict(path)
    weight_map.check_holds(path, state, _SHARED, "a band-split RoFormer")
    return {name: value for name, value in state.items() if not name.endswith("rotary_embed.freqs")}


def _described(path, settings):
    """Return the arguments and the names of the sources in a file of settings, if any."""
    values, names = training_settings.read(path, settings)
    audio = {ours: values[name] for name, ours in _SETTINGS.items() if name in values}
    return audio | ({"channels": 1} if values.get("stereo") is False else {}), names


def _sizes(path, state, audio):
    """Return the class of the model that weights belong to, and its arguments by their shapes."""
    count = len({name.split(".")[1] for name in state if name.startswith("mask_estimators.")})
    depth = len({name.split(".")[1] for name in state if name.startswith("layers.")})
    mask = "mask_estimators.0.to_freqs.0.0."
    try:
        gammas = _numbered(state, "band_split.to_features.{}.0.gamma")
        features = len(state[_SHARED])
        heads = len(state["layers.0.0.layers.0.0.to_gates.bias"])
        width = state["layers.0.0.layers.0.0.to_out.0.weight"].shape[1]
        arguments = {
            "features": features,
            "depth": depth,
            "heads": heads,
            "head_features": width // heads,
            "mask_expansion": len(state[f"{mask}0.weight"]) // features,
            "mask_layers": sum(name.startswith(mask) for name in state) // 2 - 1,
            "count": count,
            **audio,
        }
    except (LookupError, TypeError, ZeroDivisionError) as error:
        raise InputError(
            f"{path} lacks weights of a band-split RoFormer ({error}): fetch it again"
        ) from error
    if "final_norm.gamma" not in state:
        return MelBandRoFormerLike, arguments | {"bands": len(gammas)}
    bands = [len(gamma) // (2 * arguments.get("channels", 2)) for gamma in gammas]
    return BSRoFormerLike, {"n_fft": 2 * (sum(bands) - 1), **arguments, "bands": bands}


def _numbered(state, pattern):
    """Return the tensors with the numbers 0, 1 and so on in their names."""
    names = [pattern.format(index) for index in range(len(state))]
    return [state[name] for name in names if name in state]


def _slots(model):
    """Map a network's weights."""
    split = model.get_layer("band_split")
    for index, (norm, dense) in enumerate(zip(split.norms, split.projections, strict=True)):
        name = f"band_split.to_features.{index}"
        yield weight_map.same(f"{name}.0.gamma", norm.scale)
        yield from weight_map.dense(f"{name}.1", dense)
    for index in range(model.depth):
        for way, axis in enumerate(("frames", "bands")):
            yield from transformer_slots(
                f"layers.{index}.{way}", model.get_layer(f"{axis}_{index}")
            )
    if isinstance(model, BSRoFormerLike):
        yield weight_map.same("final_norm.gamma", model.get_layer("norm").scale)
    for number, source in enumerate(model.sources):
        for index, network in enumerate(model.get_layer(f"{source}_masks").networks):
            for step, dense in enumerate(network):
                name = f"mask_estimators.{number}.to_freqs.{index}.0.{2 * step}"
                yield from weight_map.dense(name, dense)


def transformer_slots(name: str, layer: AxialTransformer) -> Iterator[weight_map.Slot]:
    """Map a transformer of one attention and one feed-forward network.

    Args:
        name: the module's name, such as "layers.0.1".
        layer: a built `kerasep.layers.AxialTransformer`.
    """
    attention, forward = f"{name}.layers.0.0", f"{name}.layers.0.1.net"
    yield weight_map.same(f"{attention}.norm.gamma", layer.attention_norm.scale)
    kernel = layer.query_key_value.kernel
    order = _order(layer.heads, layer.head_features)
    yield weight_map.Slot(
        (f"{attention}.to_qkv.weight",),
        (tuple(kernel.shape)[::-1],),
        kernel,
        lambda value: value[order].T,
    )
    yield from weight_map.dense(f"{attention}.to_gates", layer.gates)
    yield from weight_map.dense(f"{attention}.to_out.0", layer.merge)
    yield weight_map.same(f"{forward}.0.gamma", layer.forward_norm.scale)
    yield from weight_map.dense(f"{forward}.1", layer.expand)
    yield from weight_map.dense(f"{forward}.4", layer.compress)
    if layer.output_norm:
        yield weight_map.same(f"{name}.norm.gamma", layer.final_norm.scale)


def _order(heads, features):
    """Return the rows of queries, keys and values with the pairs to rotate in our order.

    The original rotates neighbours, `RotaryPositions` a feature of each half.
    """
    rows = np.arange(3 * heads * features).reshape(3, heads, features // 2, 2)
    rotated = rows[:2].swapaxes(-1, -2)
    return np.concatenate([rotated.ravel(), rows[2].ravel()])
