"""Spleeter's checkpoints, as its authors publish them, into `kerasep.models.SpleeterLike`."""

import os
import re

from kerasep.importers import tar_archive, tf_checkpoint
from kerasep.importers.weight_map import assign, check_class, same
from kerasep.models import SpleeterLike

# The checkpoints hold stems by number, in this order.
STEMS = {
    2: ("vocals", "accompaniment"),
    4: ("vocals", "drums", "bass", "other"),
    5: ("vocals", "piano", "drums", "bass", "other"),
}
_FILES = r"model\.(index|data-00000-of-00001)"  # of a checkpoint in an archive
# What training saves beside the weights.
_TRAINING = re.compile(r"/Adam(_\d+)?$|^beta\d_power$|^global_step$")


def weights(path: str | os.PathLike) -> dict:
    """Read the weights from one of Spleeter's checkpoints.

    Args:
        path: the folder of `model.index` and `model.data-00000-of-00001`, one of these files, or
            the `.tar.gz` archive that holds them.

    Returns:
        A dict: TensorFlow's name to numpy array, without what only training needs.

    Raises:
        InputError: if there is no checkpoint, or it is damaged.

    Example:
    >>> weights("2stems")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received 2stems, expected a TensorFlow checkpoint: a file ending ...
    """
    if tar_archive.is_archive(path):
        with tar_archive.unpacked(path, _FILES) as folder:
            return weights(folder)
    state = tf_checkpoint.read(path)
    return {name: value for name, value in state.items() if not _TRAINING.search(name)}


def load(model: SpleeterLike, path: str | os.PathLike) -> SpleeterLike:
    """Set a model's weights from one of Spleeter's checkpoints.

    Sources with Spleeter's names of its 2, 4 or 5 stems may be in any order. Others are taken in
    Spleeter's order.

    Args:
        model: a `kerasep.models.SpleeterLike`.
        path: as for `weights`.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the checkpoint cannot be read, or holds another model: it names the weights
            missing, not expected and of another shape.

    Example:
    >>> load(SpleeterLike(n_fft=256, hop=64, filters=[4, 8]), "4stems")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received 4stems, expected a TensorFlow checkpoint: a file ending ...
    """
    check_class(model, SpleeterLike)
    state = weights(path)
    published = STEMS.get(len(model.sources), ())
    order = published if set(published) == set(model.sources) else model.sources
    slots, unused = [], set()
    for index, source in enumerate(order):
        slots += _slots(model, source, index)
        # The norm of the last convolution, which no layer follows.
        depth = len(model.filters)
        unused.add(_numbered("batch_normalization", 2 * depth * index + depth - 1))
    state = {name: value for name, value in state.items() if name.split("/")[0] not in unused}
    count = sum(name.startswith("conv2d_transpose") for name in state) // (2 * len(model.filters))
    advice = f"the checkpoint has about {count} stems, build a model with as many and its filters"
    assign(path, slots, state, advice)
    model.trained = True
    return model


def _slots(model, source, index):
    """Map the weights of one stem. Keras 2 counted layers of a kind through all stems."""
    depth = len(model.filters)

    def norm(number, layer):
        name = _numbered("batch_normalization", 2 * depth * index + number)
        for weight in ("gamma", "beta", "moving_mean", "moving_variance"):
            yield same(f"{name}/{weight}", getattr(layer, weight))

    def conv(kind, number, layer):
        name = _numbered(kind, number)
        yield same(f"{name}/kernel", layer.kernel)
        yield same(f"{name}/bias", layer.bias)

    def layer(name):
        return model.get_layer(f"{source}_{name}")

    first = (depth + 1) * index
    for down in range(depth):
        yield from conv("conv2d", first + down, layer(f"conv{down + 1}").conv)
        if down < depth - 1:
            yield from norm(down, layer(f"conv{down + 1}_norm"))
        up = f"up{depth - down}"
        yield from conv("conv2d_transpose", depth * index + down, layer(up).conv)
        yield from norm(depth + down, layer(f"{up}_norm"))
    yield from conv("conv2d", first + depth, layer("mask"))


def _numbered(kind, number):
    return f"{kind}_{number}" if number else kind
