"""The author's checkpoints of GTCRN into `kerasep.models.GTCRNLike`."""

import os

from kerasep.importers import speech_bands, weight_map
from kerasep.models import GTCRNLike

_BLOCK = {
    "point_1": ("point_conv1", "point_bn1", "point_act"),
    "depth": ("depth_conv", "depth_bn", "depth_act"),
    "point_2": ("point_conv2", "point_bn2", None),
}


def load(model: GTCRNLike, path: str | os.PathLike) -> GTCRNLike:
    """Set a model's weights from a checkpoint of GTCRN.

    Args:
        model: a `kerasep.models.GTCRNLike`.
        path: a `.tar` file, as written by `torch.save`.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds the weights of another model: it names
            those missing, not expected and of another shape.

    Example:
    >>> load(GTCRNLike(filters=4, dilations=[1]), "gtcrn.tar")
    Traceback (most recent call last):
    kerasep.errors.InputError: received gtcrn.tar, which is not a file: give the path of a .pth file
    """
    weight_map.check_class(model, GTCRNLike)
    state = speech_bands.weights(model, path)
    weight_map.assign(path, _slots(model), state, speech_bands.ADVICE)
    model.trained = True
    return model


def _slots(model):
    count = len(model.dilations)
    for index in range(count + 2):
        inner = index >= 2
        part = _block_slots if inner else _convolution_slots
        yield from part(f"encoder.en_convs.{index}", model, f"encoder_{index}", False)
    for index in range(2):
        yield from speech_bands.dual_path(f"dpgrnn{index + 1}", model, f"dual_path_{index}")
    for index in range(count + 2):
        inner = index < count
        part = _block_slots if inner else _convolution_slots
        yield from part(f"decoder.de_convs.{index}", model, f"decoder_{index}", True)


def _convolution_slots(name, model, ours, transposed):
    names = ("conv", "bn", None if ours == f"decoder_{len(model.dilations) + 1}" else "act")
    yield from _part_slots(name, names, model, ours, transposed)


def _block_slots(name, model, ours, transposed):
    for part, names in _BLOCK.items():
        yield from _part_slots(name, names, model, f"{ours}_{part}", transposed)
    attention = model.get_layer(f"{ours}_attention")
    yield from speech_bands.attention(f"{name}.tra.att_gru", f"{name}.tra.att_fc", attention)


def _part_slots(name, names, model, ours, transposed):
    convolution, norm, activation = names
    layer = model.get_layer(f"{ours}_conv")
    yield from speech_bands.convolution(f"{name}.{convolution}", layer, transposed)
    yield from weight_map.batch_norm(f"{name}.{norm}", model.get_layer(f"{ours}_norm"))
    if activation:
        alpha = model.get_layer(f"{ours}_prelu").alpha
        yield weight_map.reshaped(f"{name}.{activation}.weight", alpha, (1,))
