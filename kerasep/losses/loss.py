"""Base class of all losses."""

from typing import Any

import keras

from kerasep.system.arguments import Arguments


class _Loss(Arguments, keras.losses.Loss):
    """Keras loss that computes in float32 under every mixed-precision policy."""

    def __init__(
        self,
        name: str | None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments and those of Keras' losses."""
        return {**super().get_config(), "dtype": self.dtype}
