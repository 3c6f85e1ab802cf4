"""The author's checkpoints of UL-UNAS into `kerasep.models.ULUNASLike`."""

import os

from kerasep.importers import speech_bands, weight_map
from kerasep.models import ULUNASLike

# Convolutions of a block: name in the model; names of convolution, norm and activation in the file;
# whether the decoder's is transposed. Then the name of the attention in the file.
_PLAIN = ((("", "ops.1", "ops.2", "ops.3", True),), "ops.4")
_SEPARABLE = (
    (
        ("_point", "pconv.0", "pconv.1", "pconv.2", False),
        ("_depth", "dconv.1", "dconv.2", "dconv.3", True),
    ),
    "dconv.4",
)
_BOTTLENECK = (
    (
        ("_point_1", "pconv1.0", "pconv1.1", "pconv1.2", False),
        ("_depth", "dconv.1", "dconv.2", "dconv.3", True),
        ("_point_2", "pconv2.0", "pconv2.1", None, False),
    ),
    "pconv2.2",
)
_BLOCKS = (_PLAIN, _BOTTLENECK, _SEPARABLE, _BOTTLENECK, _SEPARABLE)


def load(model: ULUNASLike, path: str | os.PathLike) -> ULUNASLike:
    """Set a model's weights from a checkpoint of UL-UNAS.

    Args:
        model: a `kerasep.models.ULUNASLike`.
        path: a `.tar` file, as written by `torch.save`.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds the weights of another model: it names
            those missing, not expected and of another shape.

    Example:
    >>> load(ULUNASLike(filters=[4, 4, 4, 4, 4]), "ul_unas.tar")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received ul_unas.tar, which is not a file: give the path of ...
    """
    weight_map.check_class(model, ULUNASLike)
    state = speech_bands.weights(model, path)
    weight_map.assign(path, _slots(model), state, speech_bands.ADVICE)
    model.trained = True
    return model


def _slots(model):
    last = len(_BLOCKS) - 1
    for index, block in enumerate(_BLOCKS):
        yield from _block_slots(f"encoder.en_convs.{index}", model, f"encoder_{index}", block)
    for index in range(2):
        yield from speech_bands.dual_path(f"dpgrnn.{index}", model, f"dual_path_{index}")
    for index, block in enumerate(reversed(_BLOCKS)):
        part = f"decoder.de_convs.{index}", model, f"decoder_{index}", block
        yield from _block_slots(*part, decoder=True, last=index == last)


def _block_slots(name, model, ours, block, decoder=False, last=False):
    convolutions, attention = block
    for part, convolution, norm, activation, mirrored in convolutions:
        layer = model.get_layer(f"{ours}{part}_conv")
        flipped = decoder and mirrored
        yield from speech_bands.convolution(f"{name}.{convolution}", layer, flipped)
        layer = model.get_layer(f"{ours}{part}_norm")
        yield from weight_map.batch_norm(f"{name}.{norm}", layer)
        if activation and not last:
            layer = model.get_layer(f"{ours}{part}_prelu")
            yield weight_map.transposed(f"{name}.{activation}.affine_weight", layer.gamma)
            yield weight_map.transposed(f"{name}.{activation}.affine_bias", layer.beta)
            yield weight_map.same(f"{name}.{activation}.slope_weight", layer.alpha)
    name = f"{name}.{attention}"
    temporal, frequency = (model.get_layer(f"{ours}_{kind}") for kind in ("temporal", "frequency"))
    yield from speech_bands.attention(f"{name}.ta_gru", f"{name}.ta_fc", temporal)
    yield from speech_bands.attention(f"{name}.fa.gru", f"{name}.fa.fc", frequency)
