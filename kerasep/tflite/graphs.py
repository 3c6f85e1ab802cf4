"""What a `.tflite` file computes: its graphs counted, looked through and put into another order."""

import collections

import numpy as np

IDENTIFIER = b"TFL3"


def with_work_first(content):
    """Begin a TFLite file with a graph that computes something.

    The interpreter fits no kernels of XNNPACK where the first graph is one that has no operations,
    as "reset" of a stream: all others would be left to kernels of half the speed.

    Args:
        content: the bytes.

    Returns:
        The bytes of a file that computes the same.
    """
    from ai_edge_litert import schema_py_generated as schema

    # Looked at without being unpacked: hardly any file is concerned.
    if schema.Model.GetRootAs(content, 0).Subgraphs(0).OperatorsLength():
        return content
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graphs = model.subgraphs
    entries = [entry.subgraphIndex for entry in model.signatureDefs]
    # They change places: no operation calls a signature's graph, so all other numbers stay true.
    other = next((index for index in entries if graphs[index].operators), 0)
    graphs[0], graphs[other] = graphs[other], graphs[0]
    places = {0: other, other: 0}
    for entry in model.signatureDefs:
        entry.subgraphIndex = places.get(entry.subgraphIndex, entry.subgraphIndex)
    return packed(model, len(content))


def with_buffers_inside(content):
    """Put weights that lie behind the model proper, as ai-edge-quantizer writes them, into it.

    Args:
        content: bytes of a TFLite file.

    Returns:
        The bytes of a file that computes the same, in the form that every reader knows.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset > 1:  # 1 stands for one that is empty
            buffer.data = np.frombuffer(content, "uint8", buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0
    return packed(model, len(content))


def operations(content):
    """Count the operations in the bytes of a TFLite file.

    Args:
        content: the bytes.

    Returns:
        Dict from name to number, most frequent first. A custom operation has its own name.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    counts = collections.Counter()
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            if name == "CUSTOM":
                name = f"custom {bytes(code.customCode).decode()}"
            counts[name] += 1
    return dict(counts.most_common())


def has_variables(content):
    """Whether any tensor in the bytes of a TFLite file keeps its value between runs."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return any(tensor.isVariable for graph in model.subgraphs for tensor in graph.tensors)


def packed(model, size):
    """Give the bytes of a model.

    Args:
        model: `ModelT` of LiteRT's schema.
        size: about how many bytes there will be.
    """
    import flatbuffers

    builder = flatbuffers.Builder(size + 4096)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
