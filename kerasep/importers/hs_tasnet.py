"""Checkpoints of hs-tasnet into `kerasep.models.HSTasNetLike`."""

import os
from collections.abc import Iterator

from kerasep.importers import weight_map
from kerasep.importers.torch_file import read_state_dict, without_buffers
from kerasep.importers.weight_map import Slot
from kerasep.models import HSTasNetLike

# Windows, and a bias that the original never adds.
_IGNORED = ("stft.", "conv_decode.window", "conv_decode.bias")
# The original's names of the stacks, and the layers of ours.
_STACKS = {
    "pre_spec_branch": "spectrum_lstm",
    "pre_waveform_branch": "features_lstm",
    "fusion_branch": "common_lstm",
    "post_spec_branch": "spectrum_second_lstm",
    "post_waveform_branch": "features_second_lstm",
}
_ADVICE = "load the preset of its size, hs_tasnet_like/full or hs_tasnet_like/small"


def load(model: HSTasNetLike, path: str | os.PathLike) -> HSTasNetLike:
    """Set a model's weights from a checkpoint of hs-tasnet.

    Args:
        model: a `kerasep.models.HSTasNetLike` with the sources in the checkpoint's order, which
            is not in the file.
        path: a file that `HSTasNet.save` wrote, or one of its state dict alone.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds another model: it names the weights
            missing, not expected and of another shape.

    Example:
    >>> load(HSTasNetLike(kernel_size=16, filters=4, units=2), "no.pt")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received no.pt, which is not a file: give the path ...
    """
    weight_map.check_class(model, HSTasNetLike)
    state = without_buffers(read_state_dict(path), _IGNORED)
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def _slots(model) -> Iterator[Slot]:
    """Map all weights. The original has bins within channels, and bases within sources."""
    channels, count, filters = model.channels, len(model.sources), model.filters
    bins = model.kernel_size // 2 + 1
    yield from _permuted("spec_encode.1", model.get_layer("spectrum_dense"), (channels, bins, 2), 0)
    encoder = model.get_layer("encoder")
    yield Slot(
        ("conv_encode.weight",),
        ((2 * filters, channels, model.kernel_size),),
        encoder.filters,
        lambda kernel: kernel.transpose(0, 2, 1).reshape(2 * filters, -1),
    )
    yield weight_map.same("conv_encode.bias", encoder.bias)
    yield from weight_map.pointwise("basis_to_embed.0", model.get_layer("features_dense"))
    for name, layer in _STACKS.items():
        yield from weight_map.lstm(name, model.get_layer(layer).cells)
    for name, layer in (("to_spec_masks", "mask_spectrum"), ("to_waveform_masks", "mask_features")):
        yield weight_map.same(f"{name}.0.weight", model.get_layer(f"{layer}_norm").scale)
    yield from _permuted(
        "to_spec_masks.1", model.get_layer("mask_spectrum"), (channels, bins, 2, count), 1
    )
    yield from _permuted(
        "to_waveform_masks.1", model.get_layer("mask_features"), (count, filters), 1
    )
    for channel in range(channels):
        yield Slot(
            ("conv_decode.weight",),
            ((filters, channels, model.kernel_size),),
            model.get_layer(f"decoder_{channel}").filters,
            lambda kernel, channel=channel: kernel[:, channel],
        )


def _permuted(name, layer, parts, axis):
    """Map PyTorch's `Linear`, of which the inputs (axis 0) or outputs (1) have another order here.

    The first two of their parts are exchanged, and the last two of four.
    """
    inputs, outputs = layer.kernel.shape
    order = (1, 0, *range(len(parts) - 1, 1, -1))

    def rows(value):
        """Reorder the first axis."""
        rest = value.shape[1:]
        value = value.reshape(*parts, *rest)
        last = range(len(parts), value.ndim)
        return value.transpose(*order, *last).reshape(-1, *rest)

    yield Slot(
        (f"{name}.weight",),
        ((outputs, inputs),),
        layer.kernel,
        (lambda value: rows(value).T) if axis else (lambda value: rows(value.T)),
    )
    shape = tuple(layer.bias.shape)
    yield Slot((f"{name}.bias",), (shape,), layer.bias, rows if axis else lambda value: value)
