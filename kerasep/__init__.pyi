from . import (
    cli,
    data,
    errors,
    evaluation,
    importers,
    layers,
    losses,
    metrics,
    models,
    ops,
    reports,
    separation,
    streaming,
    targets,
    tflite,
    training,
    zoo,
)
from .separation import Separator, separate

__version__: str

__all__ = [
    "Separator",
    "cli",
    "data",
    "errors",
    "evaluation",
    "importers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "reports",
    "separate",
    "separation",
    "streaming",
    "targets",
    "tflite",
    "training",
    "zoo",
]
