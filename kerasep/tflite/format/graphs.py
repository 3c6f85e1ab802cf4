"""The graphs in a `.tflite` file: counting, inspecting and reordering them."""

import collections

import numpy as np

from kerasep.errors import installed_by

IDENTIFIER = b"TFL3"


def litert_schema():
    """Return LiteRT's module of the classes of a TFLite file."""
    with installed_by("kerasep[edge]"):
        from ai_edge_litert import schema_py_generated
    return schema_py_generated


def with_work_first(content):
    """Return the bytes of a TFLite file whose first graph is not empty."""
    # The interpreter uses no XNNPACK kernels if the first graph has no operations, such as "reset"
    # of a stream. All others would then run at half the speed.
    schema = litert_schema()

    # Checked without unpacking: few files need the change.
    if schema.Model.GetRootAs(content, 0).Subgraphs(0).OperatorsLength():
        return content
    model = unpacked(content)
    graphs = model.subgraphs
    entries = [entry.subgraphIndex for entry in model.signatureDefs]
    # No operation calls a signature's graph, so swapping two leaves all other indices valid.
    other = next((index for index in entries if graphs[index].operators), 0)
    graphs[0], graphs[other] = graphs[other], graphs[0]
    places = {0: other, other: 0}
    for entry in model.signatureDefs:
        entry.subgraphIndex = places.get(entry.subgraphIndex, entry.subgraphIndex)
    return packed(model, len(content))


def with_buffers_inside(content):
    """Move weights stored behind the flatbuffer, as ai-edge-quantizer writes them, into it."""
    model = unpacked(content)
    for buffer in model.buffers:
        if buffer.offset > 1:  # 1 means empty
            buffer.data = np.frombuffer(content, "uint8", buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0
    return packed(model, len(content))


def operations(content):
    """Count the operations in the bytes of a TFLite file, most frequent first."""
    schema = litert_schema()

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    counts = collections.Counter()
    model = unpacked(content)
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            if name == "CUSTOM":
                name = f"custom {bytes(code.customCode).decode()}"
            counts[name] += 1
    return dict(counts.most_common())


def has_variables(content):
    """Return whether any tensor of a TFLite file keeps its value between runs."""
    graphs = unpacked(content).subgraphs
    return any(tensor.isVariable for graph in graphs for tensor in graph.tensors)


def unpacked(content):
    """Return the bytes of a TFLite file as `ModelT` of LiteRT's schema."""
    schema = litert_schema()

    return schema.ModelT.InitFromPackedBuf(content, 0)


def packed(model, size):
    """Return the bytes of a `ModelT`, of about `size` bytes."""
    import flatbuffers

    builder = flatbuffers.Builder(size + 4096)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
