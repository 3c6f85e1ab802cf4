from . import (
    augmentation,
)

__all__ = [
    "augmentation",
]
