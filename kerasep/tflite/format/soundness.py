"""Checks of a file's graphs that TFLite does not make: a wrong index may crash it."""

import struct

import numpy as np

from kerasep.tflite.format.graphs import litert_schema

# Errors from reading damaged tables.
DAMAGE = (struct.error, IndexError, AttributeError, TypeError, ValueError, OverflowError)
_MOST_ENTRIES = 10**6  # of a table
_MOST_VALUES = 2**29  # of a tensor


def check_graphs(content):
    """Raise one of `DAMAGE` if graphs point outside their tables or write a tensor twice."""
    schema = litert_schema()

    model = schema.Model.GetRootAs(content, 0)
    graphs = _entries(model.SubgraphsLength(), model.Subgraphs)
    if not graphs:
        raise ValueError("no graphs")
    for graph in graphs:
        _check_graph(model, graph)
    for signature in _entries(model.SignatureDefsLength(), model.SignatureDefs):
        graph = graphs[signature.SubgraphIndex()]
        inputs = _entries(signature.InputsLength(), signature.Inputs)
        outputs = _entries(signature.OutputsLength(), signature.Outputs)
        if None in [signature.SignatureKey(), *(end.Name() for end in inputs + outputs)]:
            raise ValueError("a signature without names")
        for ends, listed in (inputs, graph.InputsAsNumpy()), (outputs, graph.OutputsAsNumpy()):
            if not np.isin([end.TensorIndex() for end in ends], listed).all():
                raise ValueError("a signature of other tensors than its graph's")


def _check_graph(model, graph):
    tensors = _entries(graph.TensorsLength(), graph.Tensors)
    for tensor in tensors:
        shape = np.append(tensor.ShapeAsNumpy(), 1).astype("int64")  # 0 if there is none
        values = np.prod(shape[shape > 0], dtype="float64")
        if tensor.Buffer() >= model.BuffersLength() or values > _MOST_VALUES or shape.min() < 0:
            raise ValueError("a tensor of no size or buffer")
        if tensor.Name() is None:
            raise ValueError("a tensor without a name")
    count, written = len(tensors), []
    for operator in _entries(graph.OperatorsLength(), graph.Operators):
        if operator.OpcodeIndex() >= model.OperatorCodesLength():
            raise ValueError("an operator of no kind")
        _check_indices(operator.InputsAsNumpy(), -1, count)  # -1: an optional one is absent
        _check_indices(operator.OutputsAsNumpy(), 0, count)
        if operator.OutputsLength():
            written.append(operator.OutputsAsNumpy())
    _check_indices(graph.InputsAsNumpy(), 0, count)
    _check_indices(graph.OutputsAsNumpy(), 0, count)
    written = np.concatenate([np.zeros(0, int), *written])
    if len(np.unique(written)) < len(written):
        raise ValueError("a tensor of two operators")


def _entries(length, entry):
    if length > _MOST_ENTRIES:
        raise ValueError(f"{length} entries")
    return [entry(index) for index in range(length)]


def _check_indices(indices, least, end):
    # The schema's readers return 0 for a missing vector.
    if np.ndim(indices) and len(indices) and not (least <= indices.min() <= indices.max() < end):
        raise ValueError("an index out of range")
