"""A model's graph as text: one line an operation, rails for what passes by."""

from collections import Counter


def draw(model):
    """Draw the graph of a Functional model.

    Every operation is a dot on a rail; rails fork where a result is used twice, and join where an
    operation takes several. Beside it stand its name, class, output shape without the batch (`?`
    for any length), and number of weights.

    Args:
        model: a `keras.Model` with a Functional graph.

    Returns:
        The drawing, a string of lines.

    Example:
    ```python
    import keras
    from kerasep.zoo.drawing import draw

    x = keras.Input((None, 3), name="x")
    y = keras.layers.Dense(3, name="dense")(x)
    text = draw(keras.Model(x, keras.layers.Add(name="sum")([x, y])))
    assert [line[:3] for line in text.splitlines()] == ["●  ", "├─╮", "│ ●", "├─╯", "●  "]
    ```
    """
    operations = [node.operation for depth in _depths(model) for node in depth]
    sources = {
        id(operation): [*dict.fromkeys(id(parent.operation) for parent in _parents(operation))]
        for operation in operations
    }
    left = Counter(source for each in sources.values() for source in each)
    rails, rows = [], []
    for operation in operations:
        inputs = [rails.index(source) for source in sources[id(operation)]]
        left.subtract(sources[id(operation)])
        ended = [rail for rail in inputs if not left[rails[rail]]]
        place = min(ended) if ended else _free(rails)
        if len(inputs) > 1 or (inputs and not ended):
            rows.append((_joint(rails, inputs, ended, place), ""))
        for rail in ended:
            rails[rail] = None
        if place == len(rails):
            rails.append(None)
        rails[place] = id(operation)
        rows.append((_row(rails, place), _label(operation)))
        if not left[id(operation)]:
            rails[place] = None
        while rails and rails[-1] is None:
            rails.pop()
    width = max(len(row) for row, _ in rows)
    return "\n".join(f"{row:<{width}}  {label}".rstrip() for row, label in rows)


def _depths(model):
    """Operations' nodes from the inputs to the outputs."""
    return [nodes for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True)]


def _parents(operation):
    """Nodes that an operation takes its inputs from."""
    return [parent for node in operation._inbound_nodes[:1] for parent in node.parent_nodes]


def _free(rails):
    return rails.index(None) if None in rails else len(rails)


def _joint(rails, inputs, ended, place):
    """The row in which rails meet on the way to an operation."""
    touched = {*inputs, place}
    first, last = min(touched), max(touched)
    signs = []
    for rail in range(max(len(rails), place + 1)):
        busy = rail < len(rails) and rails[rail] is not None
        if rail not in touched:
            sign = ("┼" if first < rail < last else "│") if busy else " "
            sign = "─" if not busy and first < rail < last else sign
        elif rail in ended and rail != place:
            sign = "╯" if rail == last else "┴"
        elif rail == place and rail not in inputs:
            sign = "╮" if rail == last else "╭" if rail == first else "┬"
        else:
            sign = "├" if rail == first else "┤" if rail == last else "┼"
        signs.append(sign + ("─" if first <= rail < last else " "))
    return "".join(signs).rstrip()


def _row(rails, place):
    """The row of an operation."""
    signs = ["●" if rail == place else "│" if held else " " for rail, held in enumerate(rails)]
    return " ".join(signs)


def _label(operation):
    output = operation.output[0] if isinstance(operation.output, list | tuple) else operation.output
    shape = ", ".join("?" if size is None else str(size) for size in output.shape[1:])
    count = getattr(operation, "count_params", lambda: 0)()
    weights = f"  {count:,} weights" if count else ""
    return f"{operation.name}  {type(operation).__name__}  ({shape}){weights}"
