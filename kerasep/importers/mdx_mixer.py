"""KUIELab's mixer: new stems, linear in those of four MDX-Nets and the mixture."""

import os
from collections.abc import Mapping

import numpy as np

from kerasep.errors import InputError
from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_state_dict

SOURCES = ("bass", "drums", "other", "vocals")  # in the file's order
_CHANNELS = 2
_NAME = "linear.weight"


def read(path: str | os.PathLike) -> np.ndarray:
    """Read the weights of KUIELab's mixer, a linear layer over stems and channels.

    Args:
        path: the PyTorch file, `mixer.ckpt`.

    Returns:
        Array `(4 sources, 2 channels, 5 inputs, 2 channels)`, in the order of `SOURCES`. The last
        input is the mixture.

    Raises:
        InputError: if the file cannot be read or holds something else.

    Example:
    >>> read("mixer.ckpt")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received mixer.ckpt, which is not a file: give the path of ...

    Reference:
        Kim, Choi, Chung, Lee and Jung 2021, "KUIELab-MDX-Net: a two-stream neural network for music
        demixing", arXiv:2111.12203.
    """
    state = read_state_dict(path)
    weight_map.check_holds(path, state, _NAME, "KUIELab's mixer")
    shape = (len(SOURCES), _CHANNELS, len(SOURCES) + 1, _CHANNELS)
    flat = (shape[0] * shape[1], shape[2] * shape[3])
    if state[_NAME].shape != flat:
        raise InputError(
            f"{path} has {_NAME} of shape {state[_NAME].shape}, expected {flat}, the weights of "
            f"KUIELab's mixer"
        )
    return state[_NAME].reshape(shape)


def mixed(
    stems: Mapping[str, np.ndarray], mixture: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Apply the mixer to the stems of four MDX-Nets and the mixture.

    Args:
        stems: dict with "bass", "drums", "other" and "vocals", each `(samples, 2)`.
        mixture: array `(samples, 2)`.
        weights: what `read` returns.

    Returns:
        Dict from the same names to float32 arrays `(samples, 2)`.

    Raises:
        InputError: if a stem is missing or of another shape than the mixture.

    Example:
    ```python
    import numpy as np
    from kerasep.importers import mdx_mixer

    stems = {name: np.ones((9, 2)) for name in mdx_mixer.SOURCES}
    halves = 0.5 * np.eye(8, 10).reshape(4, 2, 5, 2)
    assert np.all(mdx_mixer.mixed(stems, np.ones((9, 2)), halves)["vocals"] == 0.5)
    ```
    """
    shapes = {name: np.shape(stems[name]) for name in SOURCES if name in stems}
    if len(shapes) < len(SOURCES) or {*shapes.values(), np.shape(mixture)} != {
        (len(mixture), _CHANNELS)
    }:
        raise InputError(
            f"received stems of shapes {shapes} for a mixture of shape {np.shape(mixture)}, "
            f"expected {', '.join(SOURCES)}, all (samples, {_CHANNELS}), like the mixture"
        )
    inputs = np.stack([*(stems[name] for name in SOURCES), mixture]).astype("float32")
    outputs = np.einsum("oxic,inc->onx", weights.astype("float32"), inputs, optimize=True)
    return dict(zip(SOURCES, outputs, strict=True))
