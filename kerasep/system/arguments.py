"""Constructor arguments of layers, losses, metrics and models: stored, and saved as the config."""

import inspect

import keras

# Where an object keeps the arguments that its class received. Keras looks into attributes for
# layers and weights, but not into names that begin with two underscores.
_KEY = "__arguments"
_KEPT_BY_KERAS = ("name", "dtype", "reduction")


class Arguments:
    """Mixin, first of the bases, that stores the constructor's arguments.

    After the constructor, each argument is an attribute of its own name (lists as tuples) unless
    the class has set one. `get_config` returns what the outermost constructor received.
    """

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _storing(cls.__init__)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), **arguments(self)}


def arguments(instance):
    """Return the arguments that an object was constructed with, in the form that Keras saves."""
    return {
        name: getattr(instance, name) if name in _KEPT_BY_KERAS else _serialized(value)
        for name, value in vars(instance).get(_KEY, {}).items()
    }


def copy_arguments(original, copy, replace):
    """Set on a copy the arguments of the original, each passed through `replace`."""
    vars(copy)[_KEY] = {name: replace(value) for name, value in vars(original)[_KEY].items()}


def _storing(init):
    """Return a constructor that stores its arguments."""
    signature = inspect.signature(init)
    named = [
        name
        for name, parameter in [*signature.parameters.items()][1:]
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]

    def constructor(self, *args, **kwargs):
        init(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        received = {name: plain(bound.arguments[name]) for name in named}
        for name, value in received.items():
            if _is_free(self, name):
                setattr(self, name, tuple(value) if isinstance(value, list) else value)
        vars(self)[_KEY] = received

    constructor.__signature__ = signature
    constructor.__doc__ = init.__doc__
    return constructor


def _is_free(instance, name):
    """Return whether an attribute is neither set, nor a method or property of the class."""
    if not hasattr(type(instance), name):
        return not hasattr(instance, name)
    default = getattr(type(instance), name)
    is_defined = callable(default) or inspect.isdatadescriptor(default)
    return not is_defined and name not in vars(instance)


def plain(value):
    """Copy lists, tuples and dicts into lists and dicts; Keras wraps those that are attributes."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def _serialized(value):
    if isinstance(value, list):
        return [_serialized(item) for item in value]
    if isinstance(value, dict) or value is None:
        return plain(value)
    return keras.saving.serialize_keras_object(value)
