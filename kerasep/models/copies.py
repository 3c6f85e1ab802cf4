"""Models that keep their attributes and precision when they are cloned, copied or saved."""

import contextlib
from typing import Any, Self

import keras

from kerasep.models.checked_model import CheckedModel
from kerasep.system.arguments import Arguments, arguments, copy_arguments, plain
from kerasep.system.keras_private import RemembersOrigin, origin

# Attributes of a model beside its constructor's arguments.
KNOWLEDGE = ("preset", "licence", "recipe", "trained")


class Copied(Arguments, CheckedModel, RemembersOrigin):
    """Functional models whose constructor takes its own arguments, and `dtype`."""

    # `keras.models.clone_model` builds a copy from tensors. So a constructor also accepts tensors
    # instead of its arguments, and the copy gets the attributes of the original.

    _class_attributes: tuple[str, ...] = ()  # shared even if they are class attributes

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        init = vars(cls).get("__init__")
        if init and "inputs" not in init.__signature__.parameters:
            parameters = [*init.__signature__.parameters.values()][1:]
            cls.__signature__ = init.__signature__.replace(parameters=parameters)
            cls.__init__ = _constructor(init)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, and `dtype` unless it is float32."""
        name = self.dtype_policy.name
        return arguments(self) | ({} if name == "float32" else {"dtype": name})

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Build a model from the arguments and precision of another."""
        return cls(**{"dtype": "float32"} | config)

    def __reduce__(self):
        """Return the state that pickle and `copy.deepcopy` copy."""
        return (*super().__reduce__(), self._knowledge())

    def _knowledge(self):
        """Return the attributes named in `KNOWLEDGE`."""
        return {name: plain(getattr(self, name)) for name in KNOWLEDGE}

    def __setstate__(self, state):
        """Set the attributes that `_knowledge` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    def share_knowledge(self, other: keras.Model) -> None:
        """Set arguments, sources, signal, transform and `KNOWLEDGE` of this model on another."""
        attributes = [name for name in self._own_attributes if name not in vars(other)]
        for name in (*attributes, *self._class_attributes):
            value = getattr(self, name)
            if not isinstance(value, keras.layers.Layer):
                setattr(other, name, value)
            elif (twin := _twin(value, other)) is not None:
                setattr(other, name, twin)


def _constructor(init):
    """Return a constructor of any arguments: `clone_model` then passes it tensors."""

    def constructor(self, *args, **kwargs):
        outermost = type(self).__init__ is constructor
        if outermost and len(args) == 2 and all(map(_are_tensors, args)):
            original = origin(args[1])
            super(Copied, self).__init__(*args, **kwargs)
            self._own_attributes = original._own_attributes
            original.share_knowledge(self)
            copy_arguments(original, self, lambda value: _twin(value, self))
            self.__setstate__(original._knowledge() | {"trained": False})  # its weights are random
            return
        with _policy(kwargs.pop("dtype", None)):
            init(self, *args, **kwargs)
        # Before training, which sets further attributes.
        self._own_attributes = tuple(name for name in vars(self) if not name.startswith("_"))

    constructor.__doc__ = init.__doc__
    return constructor


def _twin(value, model):
    """Return the model's layer with the same name; return a value that is not a layer itself."""
    if not isinstance(value, keras.layers.Layer):
        return value
    return next((layer for layer in model.layers if layer.name == value.name), None)


def _are_tensors(value):
    flat = keras.tree.flatten(value)
    return bool(flat) and all(isinstance(tensor, keras.KerasTensor) for tensor in flat)


@contextlib.contextmanager
def _policy(dtype):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(before if dtype is None else dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
