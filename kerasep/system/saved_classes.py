"""Registers the package's classes with Keras on demand: `import kerasep` imports none of them."""

import importlib
import sys

# Rooms whose classes are registered with Keras as "kerasep>Name" or "kerasep.metrics>Name".
ROOMS = ("layers", "losses", "metrics", "models", "separation.separator")


def find_when_needed() -> None:
    """Import `ROOMS` once Keras looks for one of their classes, whether it is imported or not."""
    if sys.modules.get("keras"):
        _replace_registry()
    else:
        sys.meta_path.insert(0, _KerasFinder())


class _KerasFinder:
    """Finds Keras as the other finders do, and replaces its registry after the import."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _replace_registry()

            spec.loader.exec_module = exec_module
        return spec


class _Registry(dict):
    """Keras' dict of registered classes, filled by the first question for a name of `ROOMS`."""

    def __contains__(self, name):
        known = super().__contains__(name)
        if not known and str(name).startswith(("kerasep>", "kerasep.")):
            for module in ROOMS:
                importlib.import_module(f"kerasep.{module}")
            known = super().__contains__(name)
        return known


def _replace_registry():
    # `keras_private` may be what is importing Keras, so it cannot be imported here.
    from keras.src.saving import object_registration

    registry = object_registration.GLOBAL_CUSTOM_OBJECTS
    if not isinstance(registry, _Registry):
        object_registration.GLOBAL_CUSTOM_OBJECTS = _Registry(registry)
