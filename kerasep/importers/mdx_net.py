"""Checkpoints of MDX-Net, ONNX and PyTorch files, into `kerasep.models.MDXNetLike`."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from kerasep.errors import InputError
from kerasep.importers import file_kinds, mdx_net_files, weight_map
from kerasep.importers.onnx_file import Graph, read_graph
from kerasep.importers.torch_file import read_state_dict, without_buffers
from kerasep.models import MDXNetLike

# Modules of the older generation of PyTorch files, and their newer names.
_OLDER = {
    "ds_dense": "encoding_blocks",
    "mid_dense": "bottleneck_block",
    "us_dense": "decoding_blocks",
}
_WEIGHTED = {"Conv": 4, "ConvTranspose": 4, "MatMul": 2}  # and the axes of their weights
_NORMS = ("weight", "bias", "running_mean", "running_var")
_EPSILON = 1e-5
_GROUPS = 2  # of group norms, if a file does not show it
_ADVICE = "build the matching model with kerasep.importers.mdx_net.build"


def load(model: MDXNetLike, path: str | os.PathLike) -> MDXNetLike:
    """Set a model's weights from a checkpoint of MDX-Net.

    Weights of an ONNX file are taken in the order of its graph, since their names depend on the
    program that wrote it. Batch norms that it merged into convolutions do nothing in the model. An
    ONNX file does not show the transform, so the model must have that of the file. A PyTorch file
    does not show the number of groups of its group norms.

    Args:
        model: a `kerasep.models.MDXNetLike`.
        path: an ONNX file, or a PyTorch file with names of either generation.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds the weights of another model: it names
            those missing, not expected and of another shape.

    Example:
    >>> model = MDXNetLike(n_fft=128, hop=32, bins=32, growth=2, levels=2)
    >>> load(model, "vocals.onnx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received vocals.onnx, which is not a file: give the path ...
    """
    weight_map.check_class(model, MDXNetLike)
    state, known = _read(path)
    for name in ("n_fft", "norm_groups"):
        value, received = known.get(name), getattr(model, name)
        if value not in (None, received):
            raise InputError(
                f"{path} is of a model with {name}={value}, received one with {name}={received}: "
                f"{_ADVICE}"
            )
    mdx_net_files.check_stem(path, known.get("sources"), model.sources)
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def build(
    path: str | os.PathLike,
    sources: Sequence[str] | None = None,
    n_fft: int | None = None,
    **arguments: Any,
) -> MDXNetLike:
    """Build the model that a checkpoint of MDX-Net fits, with its weights.

    Args:
        path: an ONNX file, or a PyTorch file with names of either generation.
        sources: names of the stem and of the rest, or of the stem alone. Default: those of a
            published ONNX file, else ("vocals", "accompaniment").
        n_fft: FFT length in samples. Default: that of a PyTorch file, or of a published ONNX file.
            Other ONNX files do not show it.
        **arguments: other arguments of `kerasep.models.MDXNetLike` that the weights do not show,
            such as `compensate`, `muted_bins=0` for the files of KUIELab, and `norm_groups=4` for a
            PyTorch file with as many groups; by default 2. Published ONNX files have the
            `compensate` of Ultimate Vocal Remover by default.

    Returns:
        A `kerasep.models.MDXNetLike`.

    Raises:
        InputError: as `load`, and for an unknown `n_fft` or argument.

    Example:
    >>> build("vocals.onnx", n_fft=6144)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received vocals.onnx, which is not a file: give the path ...
    """
    state, known = _read(path)
    sizes = _sizes(path, state)
    given = {"sources": sources and tuple(sources), "n_fft": n_fft, **arguments}
    given = {name: value for name, value in given.items() if value is not None}
    groups = {} if "first_conv.1.running_mean" in state else {"norm_groups": _GROUPS}
    arguments = {"sources": ("vocals", "accompaniment"), **groups, **known, **given, **sizes}
    if arguments.get("n_fft") is None:
        raise InputError(
            f"{path} does not show the length of its FFT: pass n_fft=..., such as 6144 for most "
            f"models of 2048 bins and 7680 for most of 3072; this one has {sizes['bins']}"
        )
    model = weight_map.build(path, MDXNetLike, arguments, state.values())
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def _read(path):
    """Return the weights of a file by the newer names of PyTorch files, and known arguments."""
    if file_kinds.is_onnx(path):
        state, groups = _graph_state(path, read_graph(path))
        return state, {"norm_groups": groups, **mdx_net_files.settings(path)}
    state = without_buffers(read_state_dict(path), "freq_pad")
    window = state.pop("window", None)
    parts = {name: name.partition(".") for name in state}
    state = {_OLDER.get(parts[n][0], parts[n][0]) + "." + parts[n][2]: state[n] for n in state}
    return state, {} if window is None else {"n_fft": window.size}


def _graph_state(path, graph: Graph):
    """Return the weights of an ONNX graph by the names of PyTorch files, and groups of norms."""
    found = _operations(graph)
    levels = sum(each.op == "ConvTranspose" for each in found)
    stacked = sum(each.op == "Conv" for each in found) - levels - 2
    convolutions = stacked // (2 * levels + 1)
    names = list(_modules(levels, convolutions))
    if levels < 1 or len(names) != len(found):
        raise InputError(
            f"{path} is not an MDX-Net: received a graph of {len(found)} convolutions and dense "
            f"layers, {levels} of them transposed, expected the U-Net of an MDX-Net"
        )
    groups = {each.groups for each in found if each.norms} or {None}
    if len(groups) > 1:
        raise InputError(f"{path} is an MDX-Net with norms of several kinds, expected one kind")
    [groups] = groups
    state: dict[str, np.ndarray] = {}
    for (module, norm, _), (op, weights, norms, _) in zip(names, found, strict=True):
        if op == "MatMul":
            weights = [weights[0].T]
        else:
            width = weights[0].shape[op == "ConvTranspose"]
            weights = [*weights, np.zeros(width, "float32")][:2]
        state |= dict(zip((f"{module}.weight", f"{module}.bias"), weights, strict=False))
        if not norms and op != "MatMul" and groups is None:
            norms = _identity(len(weights[-1]))
        if norm:
            state |= {f"{norm}.{part}": array for part, array in zip(_NORMS, norms, strict=False)}
    return state, groups


class _Operation(NamedTuple):
    """An operation with weights: its type, its arrays, and those of the norm behind it."""

    op: str
    weights: list
    norms: Sequence = ()
    groups: int | None = None  # None for a batch norm


def _operations(graph):
    """Return the operations with weights, in the order of the graph."""
    arrays, found = dict(graph.arrays), []
    for node in graph.nodes:
        known = [arrays[name] for name in node.inputs if name in arrays]
        # What exporters leave in front of weights.
        if node.op in ("Identity", "Unsqueeze") and known:
            arrays[node.outputs[0]] = known[0]
        elif node.op == "Transpose" and known:
            arrays[node.outputs[0]] = known[0].transpose(node.attributes.get("perm"))
        elif known and known[0].ndim == _WEIGHTED.get(node.op):
            found.append(_Operation(node.op, known))
        elif found:
            found[-1] = _with_norm(found[-1], node, known)
    return found


def _with_norm(operation, node, known):
    """Return an operation with what a node behind it adds to its norm, if anything."""
    if node.op == "BatchNormalization" and len(known) == len(_NORMS):
        # Its constant may be another than the model's.
        change = node.attributes.get("epsilon", _EPSILON) - _EPSILON
        return operation._replace(norms=[*known[:3], known[3] + np.float32(change)])
    # A group norm may be an instance norm of groups, whose factors and shifts come behind it.
    if node.op == "InstanceNormalization" and known:
        return operation._replace(groups=known[0].size)
    if node.op == "GroupNormalization" and len(known) == 2:
        return operation._replace(norms=known, groups=node.attributes.get("num_groups"))
    expected = ("Mul", "Add", None)[len(operation.norms)] if operation.groups else None
    if known and node.op == expected:
        return operation._replace(norms=[*operation.norms, known[0].ravel()])
    return operation


def _identity(width):
    """Return the weights of a batch norm that does nothing."""
    scale = np.full(width, np.sqrt(1 + _EPSILON), "float32")
    zeros = np.zeros(width, "float32")
    return [scale, zeros, zeros, np.ones(width, "float32")]


def _sizes(path, state):
    """Return the arguments of the model that weights belong to, by their shapes."""
    try:
        growth, parts = state["first_conv.0.weight"].shape[:2]
        units, bins = state["encoding_blocks.0.tdf.0.weight"].shape
        return {
            "channels": parts // 2,
            "growth": growth,
            "bins": bins,
            "bottleneck": bins // units,
            "levels": sum(f"us.{index}.0.weight" in state for index in range(len(state))),
            "convolutions": sum(
                f"bottleneck_block.tfc.H.{index}.0.weight" in state for index in range(len(state))
            ),
        }
    except (LookupError, ValueError, ZeroDivisionError):
        raise InputError(
            f"{path} holds {len(state)} tensors ({weight_map.some(state)}), expected the weights "
            f"of an MDX-Net"
        ) from None


def _modules(levels: int, convolutions: int) -> Iterator[tuple[str, str | None, str]]:
    """Return names of all modules in the order of the graph, with those of norms and of ours."""

    def block(theirs, ours):
        for index in range(convolutions):
            name = f"{theirs}.tfc.H.{index}"
            yield f"{name}.0", f"{name}.1", f"{ours}_{index}"
        for index in range(2):
            name = f"{theirs}.tdf"
            yield f"{name}.{3 * index}", f"{name}.{3 * index + 1}", f"{ours}_dense_{index}"

    yield "first_conv.0", "first_conv.1", "input"
    for level in range(levels):
        yield from block(f"encoding_blocks.{level}", f"encoder_{level}")
        yield f"ds.{level}.0", f"ds.{level}.1", f"down_{level}"
    yield from block("bottleneck_block", "lowest")
    for step in range(levels):
        level = levels - 1 - step
        yield f"us.{step}.0", f"us.{step}.1", f"up_{level}"
        yield from block(f"decoding_blocks.{step}", f"decoder_{level}")
    yield "final_conv.0", None, "output"


def _slots(model):
    """Map a network's weights."""
    for module, norm, ours in _modules(model.levels, model.convolutions):
        if "_dense_" in ours:
            yield from weight_map.dense(module, model.get_layer(ours))
        else:
            yield from weight_map.convolution(module, model.get_layer(f"{ours}_conv"))
        if norm and model.norm_groups is None:
            yield from weight_map.batch_norm(norm, model.get_layer(f"{ours}_norm"))
        elif norm:
            layer = model.get_layer(f"{ours}_norm")
            yield weight_map.same(f"{norm}.weight", layer.gamma)
            yield weight_map.same(f"{norm}.bias", layer.beta)
