"""The counters and best weights of Keras' callbacks, as JSON and arrays."""

import copy

import keras
import numpy as np

# Set by fit; and the margin whose sign Keras flips at the first comparison.
_LEFT_OUT = ("params", "_model", "min_delta")


class CallbackStates:
    """The attributes of Keras' callbacks, and of their subclasses, that change in training.

    Stores numbers, strings, arrays, and lists and dicts of them, such as the patience and the best
    weights of `keras.callbacks.EarlyStopping`. Direct subclasses of `keras.callbacks.Callback`,
    such as a progress bar, are not restored.
    """

    def __init__(self, callbacks: list[keras.callbacks.Callback]):
        self.callbacks: dict[str, keras.callbacks.Callback] = {}
        for callback in filter(_is_stored, callbacks):
            kind = type(callback).__name__
            number = sum(name.startswith(f"{kind}/") for name in self.callbacks)
            self.callbacks[f"{kind}/{number}"] = callback
        self.first = {name: _attributes(one) for name, one in self.callbacks.items()}

    def capture(self) -> tuple[dict, dict]:
        """Return the attributes that changed since training began, as JSON, and their arrays."""
        arrays: dict[str, np.ndarray] = {}
        facts = {}
        for name, callback in self.callbacks.items():
            changed = {
                key: _packed(value, arrays)
                for key, value in _attributes(callback).items()
                if key not in self.first[name] or not _same(value, self.first[name][key])
            }
            if changed:
                facts[name] = changed
        return facts, arrays

    def restore(self, facts: dict, arrays: dict) -> None:
        """Set captured attributes on callbacks of the same classes in the same order."""
        for name in facts.keys() & self.callbacks.keys():
            for key, value in facts[name].items():
                setattr(self.callbacks[name], key, copy.deepcopy(unpacked(value, arrays)))


def unpacked(value, arrays: dict):
    """Return the value that was captured as JSON, with its arrays."""
    if isinstance(value, list):
        return [unpacked(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[f"callback/{content}"]
    if kind == "tuple":
        return tuple(unpacked(content, arrays))
    return {key: unpacked(one, arrays) for key, one in content.items()}


def _packed(value, arrays):
    if isinstance(value, np.ndarray):
        arrays[f"callback/{len(arrays)}"] = value
        return {"array": len(arrays) - 1}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_packed(one, arrays) for one in value]}
    if isinstance(value, list):
        return [_packed(one, arrays) for one in value]
    if isinstance(value, dict):
        return {"dict": {key: _packed(one, arrays) for key, one in value.items()}}
    return value


def _is_stored(callback):
    plain = (keras.callbacks.Callback, keras.callbacks.LambdaCallback)
    kinds = set(type(callback).__mro__) - set(plain)
    return any(kind.__module__.startswith("keras.") for kind in kinds)


def _attributes(callback):
    """Copy the attributes that can be stored."""
    return {
        key: copy.deepcopy(value)
        for key, value in vars(callback).items()
        if key not in _LEFT_OUT and _storable(value)
    }


def _storable(value):
    if isinstance(value, list | tuple):
        return all(map(_storable, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_storable, value.values()))
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biuf"
    return value is None or isinstance(value, bool | int | float | str)


def _same(value, other):
    leaves, others = keras.tree.flatten_with_path(value), keras.tree.flatten_with_path(other)
    return len(leaves) == len(others) and all(
        path == other_path and type(leaf) is type(other_leaf) and np.array_equal(leaf, other_leaf)
        for (path, leaf), (other_path, other_leaf) in zip(leaves, others, strict=True)
    )
