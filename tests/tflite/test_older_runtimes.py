"""Exported files on runtimes of 2024, such as the newest stable one for iOS."""

from ai_edge_litert import schema_py_generated as schema


def test_no_slice_has_more_dimensions_than_they_take(exported):
    model = schema.ModelT.InitFromPackedBuf(exported[1].read_bytes(), 0)
    slices = [
        graph.tensors[operator.inputs[0]].shape
        for graph in model.subgraphs
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode
        == schema.BuiltinOperator.STRIDED_SLICE
    ]
    assert slices
    assert max(map(len, slices)) <= 5
