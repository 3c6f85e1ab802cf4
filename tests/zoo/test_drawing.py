"""Drawings of graphs: every operation once, joined as in the model."""

import keras
import pytest

from kerasep import zoo
from kerasep.zoo.drawing import draw


def rails(model):
    return [line.split("  ")[0].rstrip() for line in draw(model).splitlines()]


def test_a_chain():
    x = keras.Input((None, 3), name="x")
    y = keras.layers.Dense(4, name="wide")(x)
    assert draw(keras.Model(x, y)).splitlines() == [
        "●  x  InputLayer  (?, 3)",
        "●  wide  Dense  (?, 4)  16 weights",
    ]


def test_two_branches_meet():
    x = keras.Input((3,), name="x")
    left, right = (keras.layers.Dense(3, name=name)(x) for name in ("left", "right"))
    y = keras.layers.Add(name="sum")([left, right])
    assert rails(keras.Model(x, y)) == ["●", "├─╮", "│ ●", "● │", "├─╯", "●"]


def test_a_rail_passes_under_a_joint():
    x = keras.Input((3,), name="x")
    first = keras.layers.Dense(3, name="first")(x)
    second = keras.layers.Dense(3, name="second")(first)
    total = keras.layers.Add(name="total")([x, second])
    y = keras.layers.Add(name="y")([first, total])
    assert rails(keras.Model(x, y)) == [
        "●",
        "├─╮",
        "│ ●",
        "│ ├─╮",
        "│ │ ●",
        "├─┼─╯",
        "● │",
        "├─╯",
        "●",
    ]


@pytest.mark.parametrize("name", sorted({name.split("/")[0] for name in zoo.list_entries()}))
def test_every_operation_is_drawn_once(name):
    card = zoo.describe(name)
    model = zoo.load(name, **{"sources": card["arguments"]["sources"][:2], **card["tiny"]})
    lines = draw(model).splitlines()
    drawn = [line.split("  ")[-3:] for line in lines if "●" in line]
    assert len(drawn) == len(model.operations)
    for operation in model.operations:
        assert any(f" {operation.name}  {type(operation).__name__}" in line for line in lines)
