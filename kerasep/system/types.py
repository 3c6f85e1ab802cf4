"""Types that annotations share."""

from typing import Any

# A tensor of the backend, a KerasTensor, or a NumPy array.
Tensor = Any
