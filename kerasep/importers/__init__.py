"""Published checkpoints of other projects, read without those projects and set into our models.

`kerasep.importers.open_unmix` reads Open-Unmix; `kerasep.importers.torch_file` reads the weights
out of any PyTorch file. Neither needs PyTorch, and neither runs code from the file it is given.
"""

import importlib

_SUBMODULES = ("open_unmix", "torch_file")

__all__ = ["open_unmix", "torch_file"]


def __getattr__(name):
    """Import a submodule when it is first asked for."""
    if name in _SUBMODULES:
        return importlib.import_module(f"kerasep.importers.{name}")
    raise AttributeError(f"module 'kerasep.importers' has no attribute {name!r}")
