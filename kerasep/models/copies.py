"""Models that keep what they know, and their precision, when they are cloned, copied or saved."""

import contextlib
import inspect
import weakref

import keras

from kerasep.models.checked_model import CheckedModel

KNOWLEDGE = ("preset", "licence", "recipe")


class Copied(CheckedModel):
    """Functional models whose constructor takes arguments of its own.

    `keras.models.clone_model` builds its copy from tensors: a constructor takes them in place of
    its arguments, and the copy is given all that the model knows. The constructor also takes
    `dtype`, a policy for all layers; `get_config` has it unless it is float32.
    """

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        init = vars(cls).get("__init__")
        signature = inspect.signature(init) if init else None
        if init and "inputs" not in signature.parameters:
            cls.__init__ = _constructor(init)
            cls.__signature__ = signature.replace(
                parameters=list(signature.parameters.values())[1:]
            )

    def _run_through_graph(self, *args, **kwargs):
        outputs = super()._run_through_graph(*args, **kwargs)
        for tensor in keras.tree.flatten(outputs):
            if isinstance(tensor, keras.KerasTensor):
                tensor._result_of = weakref.ref(self)
        return outputs

    def __reduce__(self):
        """Return what pickle and `copy.deepcopy` make a copy of."""
        return (*super().__reduce__(), self._knowledge())

    def _knowledge(self):
        """Return what the model knows beyond its constructor's arguments."""
        return {name: plain(getattr(self, name)) for name in KNOWLEDGE}

    def __setstate__(self, state):
        """Set what `_knowledge` returned."""
        for name, value in state.items():
            setattr(self, name, value)


def dtype_config(model):
    """Return the part of a config that says a model's precision: nothing for float32."""
    name = model.dtype_policy.name
    return {} if name == "float32" else {"dtype": name}


def plain(value):
    """Undo Keras' wrapping of containers that are set as attributes."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def _constructor(init):
    """Make a constructor of any arguments, as Keras' own for tensors looks to `clone_model`."""

    def constructor(self, *args, **kwargs):
        outermost = type(self).__init__ is constructor
        if outermost and len(args) == 2 and all(map(_are_tensors, args)):
            original = keras.tree.flatten(args[1])[0]._result_of()
            super(Copied, self).__init__(*args, **kwargs)
            self._own_attributes = original._own_attributes
            self._take_after(original)
            return
        with _policy(kwargs.pop("dtype", None)):
            init(self, *args, **kwargs)
        # Before training, which sets others.
        self._own_attributes = tuple(name for name in vars(self) if not name.startswith("_"))

    constructor.__doc__ = init.__doc__
    return constructor


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
