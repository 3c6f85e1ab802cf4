"""Checkpoints of SCNet into `SCNetLike`."""

import os
from collections.abc import Iterator, Sequence

from kerasep.errors import InputError
from kerasep.importers import training_settings, weight_map
from kerasep.importers.torch_file import read_state_dict
from kerasep.models import SCNetLike
from kerasep.models.scnet_like import BANDS

SOURCES = ("drums", "bass", "other", "vocals")
# Shares of the bands of the published networks, by the features of their first level and depth.
_SHARES = {(64, 3): (0.225, 0.372, 0.403), (64, 4): (0.23, 0.37, 0.4)}
# Settings that the shapes of weights do not show, and kerasep's names for them.
_SETTINGS = {
    "nfft": "n_fft",
    "hop_size": "hop",
    "sample_rate": "sample_rate",
    "chunk_seconds": "chunk_seconds",
}
_SHARED = "encoder.0.SDlayer.convs.0.weight"
_ADVICE = "load the preset of its size, scnet_like/small or scnet_like/large, or build the "
_ADVICE += "matching model with kerasep.importers.scnet.build"


def load(model: SCNetLike, path: str | os.PathLike) -> SCNetLike:
    """Set a model's weights from a checkpoint of SCNet.

    Args:
        model: a `kerasep.models.SCNetLike` with the sources in the checkpoint's order, which is not
            in the file.
        path: a PyTorch or safetensors file, of SCNet's authors or of
            Music-Source-Separation-Training.

    Returns:
        The model. After an error it is unchanged.

    Raises:
        InputError: if the file cannot be read, or holds the weights of another model: it names
            those missing, not expected and of another shape.

    Example:
    ```python
    from kerasep.importers import scnet
    from kerasep.models import SCNetLike

    model = SCNetLike(n_fft=512, hop=128, features=[4, 8], depth=1)
    try:
        scnet.load(model, "scnet.th")
    except ValueError as error:
        assert "scnet.th" in str(error)
    ```
    """
    weight_map.check_class(model, SCNetLike)
    weight_map.assign(path, _slots(model), _read(path), _ADVICE)
    model.trained = True
    return model


def build(
    path: str | os.PathLike,
    sources: Sequence[str] | None = None,
    settings: str | os.PathLike | None = None,
) -> SCNetLike:
    """Build the model that a checkpoint fits, with its weights.

    The weights show all sizes. They do not show the shares of the bands, the transform, the sample
    rate and the names of the sources: these are read from the YAML file with the settings of the
    training. Without one, the shares are those of the published network with as many features, and
    the rest are the class's defaults.

    Args:
        path: a PyTorch or safetensors file.
        sources: names of the sources, in the file's order. Default: those of the settings, else
            drums, bass, other and vocals.
        settings: a YAML file. Default: the file beside the checkpoint of the same name that ends in
            .yaml, if any.

    Returns:
        A `kerasep.models.SCNetLike`.

    Raises:
        InputError: as `load`, for settings that cannot be read, and for another number of sources.

    Example:
    ```python
    from kerasep.importers import scnet

    try:
        scnet.build("scnet.ckpt", settings="scnet.yaml")
    except ValueError as error:
        assert "scnet.ckpt" in str(error)
    ```
    """
    state = _read(path)
    values, names = training_settings.read(path, settings)
    arguments = _sizes(path, state, values)
    count = arguments.pop("count")
    sources = tuple(sources or names or SOURCES)
    weight_map.check_sources(path, sources, count)
    arguments |= {ours: values[name] for name, ours in _SETTINGS.items() if name in values}
    model = weight_map.build(path, SCNetLike, {**arguments, "sources": sources}, state.values())
    weight_map.assign(path, _slots(model), state, _ADVICE)
    model.trained = True
    return model


def _read(path):
    state = read_state_dict(path)
    weight_map.check_holds(path, state, _SHARED, "SCNet")
    return state


def _sizes(path, state, values):
    """Return the model's arguments by the shapes of its weights, and the number of sources."""
    try:
        levels = _count(state, "encoder.{}.globalconv.weight")
        features = [len(state[f"encoder.{level}.globalconv.weight"]) for level in range(levels)]
        kernels = [
            state[f"encoder.0.SDlayer.convs.{band}.weight"].shape[2]
            for band in range(_count(state, "encoder.0.SDlayer.convs.{}.weight"))
        ]
        blocks = [
            _count(state, f"encoder.0.conv_modules.{band}.layers.{{}}.0.weight")
            for band in range(len(kernels))
        ]
        hidden = state["encoder.0.conv_modules.0.layers.0.6.weight"].shape[1]
        recurrent = state["separation_net.dp_modules.0.lstm_layers.0.weight_hh_l0"]
        parts = state[_SHARED].shape[1]
        outputs = state[f"decoder.{levels - 1}.1.convtrs.0.weight"].shape[1]
        depth = _count(state, "separation_net.dp_modules.{}.norm_layers.0.weight") // 2
        published = _SHARES.get((features[0], depth), [share for share, *_ in BANDS])
        shares = values.get("band_SR", published)
        strides = values.get("band_stride", [1, *kernels[1:]])
        return {
            "bands": [*zip(shares, strides, kernels, blocks, strict=True)],
            "features": features,
            "depth": depth,
            "expansion": recurrent.shape[1] // features[-1],
            "compression": features[0] // hidden,
            "channels": parts // 2,
            "count": outputs // parts,
        }
    except (LookupError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"{path} lacks weights of SCNet, or its settings do not fit them ({error}): fetch both "
            f"again"
        ) from error


def _count(state, pattern):
    """Count the tensors with the numbers 0, 1 and so on in their names."""
    return next(index for index in range(len(state) + 1) if pattern.format(index) not in state)


def _slots(model) -> Iterator[weight_map.Slot]:
    """Map a network's weights."""
    levels = len(model.features)
    for level in range(levels):
        encoder, decoder = f"encoder.{level}", f"decoder.{levels - 1 - level}"
        for band in range(len(model.bands)):
            layer = model.get_layer(f"encoder_{level}_{band}_conv")
            yield from _image(f"{encoder}.SDlayer.convs.{band}", layer)
            module = model.get_layer(f"encoder_{level}_{band}_module")
            for index, layers in enumerate(module.steps):
                name = f"{encoder}.conv_modules.{band}.layers.{index}"
                yield from _module_block(name, *layers)
            layer = model.get_layer(f"decoder_{level}_{band}_conv")
            yield from _image(f"{decoder}.1.convtrs.{band}", layer)
        for name, part in ((f"{encoder}.globalconv", "encoder"), (f"{decoder}.0.conv", "decoder")):
            yield from _image(name, model.get_layer(f"{part}_{level}_conv"))
    for index in range(2 * model.depth):
        name = f"separation_net.dp_modules.{index}"
        for number, way in enumerate(("bins", "frames")):
            layer = model.get_layer(f"dual_path_{index}_{way}")
            yield from _norm(f"{name}.norm_layers.{number}", layer.norm)
            yield from weight_map.lstm(f"{name}.lstm_layers.{number}", layer.lstm.cells)
            yield from weight_map.dense(f"{name}.linear_layers.{number}", layer.dense)


def _image(name, layer):
    """Map a convolution of maps, which are bins times frames there and frames times bins here."""
    yield weight_map.transposed(f"{name}.weight", layer.kernel, (3, 2, 1, 0))
    yield weight_map.same(f"{name}.bias", layer.bias)


def _module_block(name, norm, conv, depthwise, hidden_norm, dense):
    """Map a block of `ConvolutionModule`."""
    yield from _norm(f"{name}.0", norm)
    yield from weight_map.convolution(f"{name}.1", conv)
    yield weight_map.transposed(f"{name}.3.weight", depthwise.kernel, (2, 0, 1))
    yield weight_map.same(f"{name}.3.bias", depthwise.bias)
    yield from _norm(f"{name}.4", hidden_norm)
    yield from weight_map.pointwise(f"{name}.6", dense)


def _norm(name, layer):
    yield weight_map.same(f"{name}.weight", layer.gamma)
    yield weight_map.same(f"{name}.bias", layer.beta)
