"""Where the weights are in a checkpoint, and what training frameworks add to their names."""

from typing import Any

import numpy as np

from kerasep.importers.torch_pickle import Tensor

# Keys of weights: averaged or best ones first, since they are what is used after training.
PLACES = (
    *("best_state", "ema_state_dict", "model_ema", "ema", "shadow"),
    *("state_dict", "model_state_dict", "model", "network", "net", "module", "state", "weights"),
)
_WRAPPERS = ("module.", "model.", "_orig_mod.")
_LEVELS = 3


def find_tensors(contents: Any, levels: int = _LEVELS) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, from the first of `PLACES` that holds any.

    If none does, they are those at the top.

    Args:
        contents: of the file, with stand-ins for tensors.
        levels: how many keys deep to look. Defaults to 3.

    Returns:
        A dict, empty if there are none.

    Example:
    >>> find_tensors({"epoch": 3, "net": {"state_dict": {}}})
    {}
    """
    if type(contents) is not dict:
        return {}
    if levels > 1:
        for place in PLACES:
            if tensors := find_tensors(contents.get(place), levels - 1):
                return tensors
    return {
        name: value
        for name, value in contents.items()
        if isinstance(value, Tensor) and isinstance(name, str)
    }


def without_wrappers(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a state without the prefixes of wrappers that all its names share.

    Data parallel training adds `module.`, Lightning `model.` and `torch.compile` `_orig_mod.`, in
    any order.

    Args:
        state: dict from name to array.

    Example:
    >>> without_wrappers({"module._orig_mod.fc.weight": 1, "module._orig_mod.fc.bias": 2})
    {'fc.weight': 1, 'fc.bias': 2}
    """
    for prefix in _WRAPPERS:
        if state and all(name.startswith(prefix) and name != prefix for name in state):
            return without_wrappers({n.removeprefix(prefix): v for n, v in state.items()})
    return state
