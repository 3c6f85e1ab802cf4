"""Models by name, and a warning about models that were never trained."""

import os
from typing import Any

from kerasep.errors import InputError, installed_by
from kerasep.system import logs

log = logs.logger(__name__)


def loaded(model: Any) -> Any:
    """Return the model of a name or path with trained weights, or the default one for None."""
    if model is not None and not isinstance(model, str | os.PathLike):
        return model
    if str(model).endswith(".tflite"):
        raise InputError(
            f"received model {model}, expected a preset or a saved Keras model: pass "
            f"kerasep.tflite.Runtime({str(model)!r})"
        )
    with installed_by("kerasep"):  # kerasep-runtime has no models
        from kerasep import zoo

    name = zoo.BEST_FOR_SONGS if model is None else os.fspath(model)
    is_file = os.path.exists(name) or name.endswith(".keras")
    return zoo.load(name, None if is_file else True)


def warn_untrained(model: Any) -> None:
    """Log a warning if all or some weights of a Keras model are random."""
    inner = getattr(model, "model", model)
    if inner.weights and not (getattr(model, "trained", True) or getattr(inner, "trained", True)):
        name = getattr(inner, "preset", None) or inner.name
        log.warning(
            "%s was never trained: all or some of its weights are random. Train it, or load a "
            "preset with trained weights, which kerasep list marks with a star",
            name,
        )
