"""Checkpoints of hybrid transformer Demucs into `kerasep.models.HTDemucsLike`."""

import os
import pathlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_checkpoint
from kerasep.layers import DilatedResidual, TransformerBlock
from kerasep.models import HTDemucsLike

# Of files without settings, which have 4 or 6 sources.
SOURCES = ("drums", "bass", "other", "vocals", "guitar", "piano")
_ENDINGS = ("th", "pth", "safetensors")
# Settings that the shapes of weights do not show, and kerasep's names for them.
_ARGUMENTS = {"samplerate": "sample_rate", "segment": "chunk_seconds", "t_heads": "heads"}
# Settings that kerasep does not have, and their only values here.
_FIXED: dict[str, Any] = {
    "cac": True,
    "rewrite": True,
    "growth": 2,
    "kernel_size": 8,
    "stride": 4,
    "context": 1,
    "context_enc": 0,
    "dconv_mode": 3,
    "dconv_depth": 2,
    "channels_time": None,
    "freq_emb": 0.2,
    "emb_scale": 10,
    "norm_starts": 4,
    "multi_freqs": [],
    "t_emb": "sin",
    "t_norm_in": True,
    "t_norm_in_group": False,
    "t_group_norm": False,
    "t_norm_first": True,
    "t_norm_out": True,
    "t_max_period": 10000.0,
    "t_gelu": True,
    "t_weight_pos_embed": 1.0,
    "t_layer_scale": True,
    "t_cross_first": False,
    "t_sparse_self_attn": False,
    "t_sparse_cross_attn": False,
}
_FIRST, _TRANSFORMER = "encoder.0.conv.weight", "crosstransformer.layers."
_ADVICE = "build the matching model with kerasep.importers.htdemucs.build"


def load(
    model: HTDemucsLike, paths: str | os.PathLike | Mapping[str, str | os.PathLike]
) -> HTDemucsLike:
    """Set a model's weights from checkpoints of HTDemucs.

    Args:
        model: a `kerasep.models.HTDemucsLike`; of one network, its sources in the file's order.
        paths: a `.th` or `.safetensors` file, with weights alone or with the model's settings too.
            For a model of several networks a dict of source to file, or a folder that holds
            `<source>.th` or `<source>.safetensors` for every source of the model.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if a source has no file, a file cannot be read, or holds the weights of another
            model: it names those missing, not expected and of another shape.

    Example:
    >>> model = HTDemucsLike(n_fft=128, filters=8, levels=2, bottleneck=0, chunk_seconds=0.1)
    >>> load(model, "model.th")
    Traceback (most recent call last):
    kerasep.errors.InputError: received model.th, which is not a file: give the path of a .pth file
    """
    weight_map.check_class(model, HTDemucsLike)
    values = []
    if model.per_source:
        for source, path in files_of(paths, model.sources).items():
            settings, state = _read(path)
            order = _order(path, settings, state)
            if source not in order:
                raise InputError(
                    f"{path} is of a model of {', '.join(order)}, expected one of {source} too"
                )
            _check_heads(path, model, settings)
            state = _of_one_source(path, state, order.index(source), len(order))
            values += weight_map.check(path, _slots(model, f"{source}_"), state, _ADVICE)
    elif isinstance(paths, Mapping):
        raise InputError(
            f"received files of {', '.join(paths)}, expected one file: the model is one network"
        )
    else:
        settings, state = _read(paths)
        order = _order(paths, settings, state)
        if set(order) == set(model.sources) and order != tuple(model.sources):
            raise InputError(
                f"received a model of {', '.join(model.sources)}, expected the order of {paths}: "
                f"build one of sources={list(order)}"
            )
        _check_heads(paths, model, settings)
        values = weight_map.check(paths, _slots(model), state, _ADVICE)
    weight_map.set_all(values)
    model.trained = True
    return model


def build(path: str | os.PathLike, sources: Sequence[str] | None = None) -> HTDemucsLike:
    """Build the model that a checkpoint of HTDemucs fits, with its weights.

    The mixture is normalised in the model; the original does that in its separation script.

    Args:
        path: a `.th` or `.safetensors` file, as for `load`.
        sources: names of the sources, in the file's order. Default: those in the file, or else
            drums, bass, other and vocals, and guitar and piano if there are six.

    Returns:
        A `kerasep.models.HTDemucsLike` of one network.

    Raises:
        InputError: as `load`; for another number of sources; and for a model with settings that
            kerasep does not have, such as sparse attention.

    Example:
    >>> build("model.th")
    Traceback (most recent call last):
    kerasep.errors.InputError: received model.th, which is not a file: give the path of a .pth file
    """
    settings, state = _read(path)
    order = _order(path, settings, state)
    sources = tuple(sources or order)
    weight_map.check_sources(path, sources, len(order))
    named = {ours: settings[name] for name, ours in _ARGUMENTS.items() if name in settings}
    found = {**arguments(path, state), **named, "sources": sources}
    model = weight_map.build(path, HTDemucsLike, found, state.values())
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def arguments(path: str | os.PathLike, state: dict[str, np.ndarray]) -> dict[str, int]:
    """Return the arguments of the model that weights belong to, by their shapes.

    Args:
        path: the file, for the error.
        state: dict from name to numpy array.

    Returns:
        A dict of `channels`, `n_fft`, `filters`, `levels`, `compression`, `bottleneck`,
        `transformer_layers` and `expansion`.

    Raises:
        InputError: if the weights are not those of HTDemucs.

    Example:
    >>> arguments("model.th", {})
    Traceback (most recent call last):
    kerasep.errors.InputError: model.th lacks weights of HTDemucs ('encoder.0.conv.weight')
    """
    try:
        filters, parts = state[_FIRST].shape[:2]
        layers = {name.split(".")[2] for name in state if name.startswith(_TRANSFORMER)}
        found = {
            "channels": parts // 2,
            # The first convolution leaves a quarter of the bins, which are half of n_fft.
            "n_fft": 8 * len(state["freq_emb.embedding.weight"]),
            "filters": filters,
            "levels": sum(f"encoder.{level}.conv.weight" in state for level in range(len(state))),
            "compression": filters // len(state["encoder.0.dconv.layers.0.0.weight"]),
            "bottleneck": len(state.get("channel_upsampler.weight", ())),
            "transformer_layers": len(layers),
        }
        if layers:
            hidden, features = state[f"{_TRANSFORMER}0.linear1.weight"].shape
            found["expansion"] = hidden // features
        return found
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"{path} lacks weights of HTDemucs ({error})") from error


def _read(path):
    """Return a file's settings, which may be empty, and its weights."""
    contents, state = read_checkpoint(path)
    settings = contents.get("kwargs", {}) if type(contents) is dict else {}
    if type(settings) is not dict:
        raise InputError(f"{path} has settings that are not a dict, expected Demucs' own file")
    if not {_FIRST, "tencoder.0.conv.weight", "freq_emb.embedding.weight"} <= state.keys():
        raise InputError(
            f"{path} holds {len(state)} tensors ({weight_map.some(state)}), expected the weights "
            f"of HTDemucs, with the parts encoder, tencoder and freq_emb"
        )
    # JSON has no fractions: these are the seconds of a chunk.
    fraction = settings.get("segment")
    if type(fraction) is dict:
        try:
            settings = {**settings, "segment": fraction["numerator"] / fraction["denominator"]}
        except (KeyError, TypeError, ArithmeticError):
            raise InputError(f"{path} has the segment {fraction}, expected a fraction") from None
    other = {
        name: settings[name]
        for name, value in _FIXED.items()
        if name in settings and (settings[name] or value) and settings[name] != value
    }
    if other:
        raise InputError(f"{path} is of an HTDemucs with {other}, which kerasep does not build")
    return settings, state


def _check_heads(path, model, settings):
    """Compare the only setting that no shape of a weight shows, and that numbers depend on."""
    heads = {"heads": settings["t_heads"]} if "t_heads" in settings else {}
    weight_map.check_settings(path, model.get_config(), heads, _ADVICE)


def _order(path, settings, state):
    """Return the sources of a file in its order."""
    levels = [int(name.split(".")[1]) for name in state if re.match(r"tdecoder\.\d+\.", name)]
    try:
        channels = max(1, state[_FIRST].shape[1] // 2)
        count = len(state[f"tdecoder.{max(levels)}.conv_tr.bias"]) // channels
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path} lacks weights of HTDemucs ({error})") from error
    named = settings.get("sources")
    order = tuple(map(str, named)) if isinstance(named, list | tuple) else SOURCES[:count]
    if len(order) != count:
        raise InputError(f"{path} is of a model with {count} sources, expected {', '.join(order)}")
    return order


def files_of(paths, sources):
    """Return the files of the sources, from a dict or a folder."""
    if not isinstance(paths, Mapping):
        folder = pathlib.Path(paths)
        found = [(source, folder / f"{source}.{end}") for source in sources for end in _ENDINGS]
        paths = {source: path for source, path in found if path.is_file()}
    missing = [source for source in sources if source not in paths]
    if missing:
        raise InputError(
            f"received checkpoints of {', '.join(paths) or 'no source'}, expected one per source: "
            f"{', '.join(missing)} has none: give a dict, or a folder with {missing[0]}.th"
        )
    return {source: paths[source] for source in sources}


def _of_one_source(path, state, index, count):
    """Return weights whose last layers compute one of the sources alone."""
    state = dict(state)
    levels = [int(name.split(".")[1]) for name in state if re.match(r"decoder\.\d+\.", name)]
    try:
        for branch in ("decoder", "tdecoder"):
            for kind, axis in (("weight", 1), ("bias", 0)):
                name = f"{branch}.{max(levels)}.conv_tr.{kind}"
                state[name] = np.split(state[name], count, axis)[index]
    except (LookupError, ValueError) as error:
        raise InputError(f"{path} lacks weights of HTDemucs ({error})") from error
    return state


def _slots(model, prefix=""):
    """Map a network's weights; decoder levels are numbered from the bottom in the original."""
    for level in range(model.levels):
        up = model.levels - 1 - level
        for side, number in (("encoder", level), ("decoder", up)):
            for branch, letter in (("spectrum", ""), ("waveform", "t")):
                ours, theirs = f"{prefix}{branch}_{side}_{level}", f"{letter}{side}.{number}"
                conv = f"{theirs}.conv" if side == "encoder" else f"{theirs}.conv_tr"
                yield from weight_map.convolution(conv, model.get_layer(f"{ours}_conv"))
                rewrite = model.get_layer(f"{ours}_rewrite")
                if side == "encoder":
                    axes = 2 if branch == "spectrum" else 1
                    yield from weight_map.dense(f"{theirs}.rewrite", rewrite, axes)
                else:
                    yield from weight_map.convolution(f"{theirs}.rewrite", rewrite)
                for index in range(2):
                    branch_layer = model.get_layer(f"{ours}_branch_{index}")
                    yield from branch_slots(f"{theirs}.dconv.layers.{index}", branch_layer)
    vectors = model.get_layer(f"{prefix}bin_embedding").vectors
    yield weight_map.same("freq_emb.embedding.weight", vectors)
    if not model.transformer_layers:
        return
    for branch, letter in (("spectrum", ""), ("waveform", "_t")):
        ours = f"{prefix}{branch}"
        if model.bottleneck:
            up, down = (model.get_layer(f"{ours}_{end}") for end in ("in", "out"))
            yield from weight_map.pointwise(f"channel_upsampler{letter}", up)
            yield from weight_map.pointwise(f"channel_downsampler{letter}", down)
        yield from norm(f"crosstransformer.norm_in{letter}", model.get_layer(f"{ours}_norm"))
        for index in range(model.transformer_layers):
            layer = model.get_layer(f"{ours}_transformer_{index}")
            yield from transformer_slots(f"crosstransformer.layers{letter}.{index}", layer)


def branch_slots(name: str, layer: DilatedResidual) -> Iterator[weight_map.Slot]:
    """Map a residual branch of hybrid Demucs.

    Args:
        name: the module's name, such as "encoder.0.dconv.layers.1".
        layer: a built `kerasep.layers.DilatedResidual`.
    """
    yield from weight_map.convolution(f"{name}.0", layer.convolve)
    yield from norm(f"{name}.1", layer.hidden_norm)
    yield from weight_map.pointwise(f"{name}.3", layer.expand)
    yield from norm(f"{name}.4", layer.output_norm)
    yield weight_map.same(f"{name}.6.scale", layer.layer_scale.scale)


def transformer_slots(name: str, layer: TransformerBlock) -> Iterator[weight_map.Slot]:
    """Map a layer of the transformer of HTDemucs.

    Args:
        name: the module's name, such as "crosstransformer.layers.0".
        layer: a built `kerasep.layers.TransformerBlock`.
    """
    if layer.crosses:
        attention, norms = f"{name}.cross_attn", [layer.query_norm, layer.context_norm]
        parts = [layer.query, layer.key_value]
    else:
        attention, norms = f"{name}.self_attn", [layer.query_norm]
        parts = [layer.query_key_value]
    features, start = layer.merge.units, 0
    for part in parts:
        rows = slice(start, start + part.units)
        shape = (3 * features, features)
        yield weight_map.Slot(
            (f"{attention}.in_proj_weight",), (shape,), part.kernel, lambda v, rows=rows: v[rows].T
        )
        yield weight_map.Slot(
            (f"{attention}.in_proj_bias",), (shape[:1],), part.bias, lambda v, rows=rows: v[rows]
        )
        start += part.units
    yield from weight_map.dense(f"{attention}.out_proj", layer.merge)
    yield from weight_map.dense(f"{name}.linear1", layer.expand)
    yield from weight_map.dense(f"{name}.linear2", layer.compress)
    for index, part in enumerate([*norms, layer.forward_norm]):
        yield from norm(f"{name}.norm{index + 1}", part)
    yield from norm(f"{name}.norm_out", layer.output_norm)
    yield weight_map.same(f"{name}.gamma_1.scale", layer.attention_scale.scale)
    yield weight_map.same(f"{name}.gamma_2.scale", layer.forward_scale.scale)


def norm(name, layer):
    """Map a norm with `gamma` and `beta`."""
    yield weight_map.same(f"{name}.weight", layer.gamma)
    yield weight_map.same(f"{name}.bias", layer.beta)
