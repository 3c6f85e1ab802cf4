"""What callbacks have counted and kept in training, as JSON and arrays."""

import keras
import numpy as np


class CallbackStates:
    """The attributes of Keras' own callbacks, and of classes derived from them, that change.

    Numbers, texts, arrays, and lists and dicts of them are kept, such as the patience that is left
    to `keras.callbacks.EarlyStopping` and its best weights. What derives from
    `keras.callbacks.Callback` alone, such as a display, starts anew with each process.

    Args:
        callbacks: callbacks whose `on_train_begin` has been called.
    """

    def __init__(self, callbacks):
        self.callbacks = {}
        for callback in filter(_is_kept, callbacks):
            kind = type(callback).__name__
            number = sum(name.startswith(f"{kind}/") for name in self.callbacks)
            self.callbacks[f"{kind}/{number}"] = callback
        self.first = {name: _attributes(one) for name, one in self.callbacks.items()}

    def capture(self):
        """Copy what has changed since training began.

        Returns:
            Dict by callback and attribute that JSON can hold, in which arrays are numbers of
            `callback/<number>`, and a dict of these arrays.
        """
        facts, arrays = {}, {}
        for name, callback in self.callbacks.items():
            changed = {
                key: _packed(value, arrays)
                for key, value in _attributes(callback).items()
                if key not in self.first[name] or not _same(value, self.first[name][key])
            }
            if changed:
                facts[name] = changed
        return facts, arrays

    def restore(self, facts, arrays):
        """Set what `capture` returned, on callbacks of the same classes in the same order."""
        for name in facts.keys() & self.callbacks.keys():
            for key, value in facts[name].items():
                setattr(self.callbacks[name], key, _unpacked(value, arrays))


# What fit sets, and the margin whose sign Keras turns when it first compares.
_LEFT_OUT = ("params", "_model", "min_delta")


def check(facts, arrays):
    """Validate what `capture` returned.

    Raises:
        ValueError: with what is wrong.
    """
    if not isinstance(facts, dict):
        raise ValueError("its callbacks are not a dict")
    for name, attributes in facts.items():
        if not isinstance(attributes, dict) or not all(
            _is_packed(value, arrays) for value in attributes.values()
        ):
            raise ValueError(f"its callback {name[:40]} has a value that none has")


def _is_packed(value, arrays):
    if isinstance(value, list):
        return all(_is_packed(one, arrays) for one in value)
    if not isinstance(value, dict):
        return value is None or isinstance(value, bool | int | float | str)
    if len(value) != 1:
        return False
    ((kind, content),) = value.items()
    if kind == "array":
        return f"callback/{content}" in arrays
    if kind == "tuple":
        return isinstance(content, list) and _is_packed(content, arrays)
    is_dict = kind == "dict" and isinstance(content, dict)
    return is_dict and all(_is_packed(one, arrays) for one in content.values())


def _is_kept(callback):
    plain = (keras.callbacks.Callback, keras.callbacks.LambdaCallback)
    kinds = set(type(callback).__mro__) - set(plain)
    return any(kind.__module__.startswith("keras.") for kind in kinds)


def _attributes(callback):
    """Copy the attributes that can be stored."""
    return {
        key: _copied(value)
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


def _copied(value):
    if isinstance(value, list | tuple):
        return type(value)(map(_copied, value)) if type(value) in (list, tuple) else list(value)
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(value, other):
    if type(value) is not type(other):
        return False
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(_same, value, other))
    if isinstance(value, dict):
        return list(value) == list(other) and all(map(_same, value.values(), other.values()))
    if isinstance(value, np.ndarray):
        return value.dtype == other.dtype and np.array_equal(value, other)
    return value == other


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


def _unpacked(value, arrays):
    if isinstance(value, list):
        return [_unpacked(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return np.array(arrays[f"callback/{content}"])
    if kind == "tuple":
        return tuple(_unpacked(one, arrays) for one in content)
    return {key: _unpacked(one, arrays) for key, one in content.items()}
