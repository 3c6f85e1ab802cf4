from . import (
    augmentation,
    mixing,
)

__all__ = [
    "augmentation",
    "mixing",
]
